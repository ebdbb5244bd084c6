"""Writes the rows of a report as CSV and Parquet, for other programs."""

import csv
import io
import tempfile
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import get_args, get_type_hints

import duckdb

from seatpool.reports.figures import Figures
from seatpool.reports.hours import HourOfWeek
from seatpool.reports.question import By
from seatpool.reports.report import Report
from seatpool.reports.text import columns, plain
from seatpool.text import csv_cell

_SQL_TYPES: Mapping[type, str] = {str: "VARCHAR", int: "BIGINT", float: "DOUBLE"}


def csv_text(report: Report) -> str:
    """Returns a line for each row. Empty: not known."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns(report.by), lineterminator="\n")
    writer.writeheader()
    for row in report.rows:
        writer.writerow({name: csv_cell(value) for name, value in plain(row, by=report.by).items()})
    return text.getvalue()


def parquet(report: Report) -> bytes:
    """Returns the rows with their types. Null: not known."""
    kind = HourOfWeek if report.by is By.HOUR else Figures
    hints = get_type_hints(kind)
    types = [_SQL_TYPES[(get_args(hints[field.name]) or (hints[field.name],))[0]] for field in fields(kind)]
    names = columns(report.by)
    with tempfile.TemporaryDirectory(prefix="seatpool-report-") as folder, duckdb.connect() as database:
        declared = ", ".join(f'"{name}" {sql}' for name, sql in zip(names, types, strict=True))
        database.execute(f"CREATE TABLE report ({declared})")
        if report.rows:
            marks = ", ".join("?" for _ in names)
            plains = (plain(row, by=report.by) for row in report.rows)
            database.executemany(
                f"INSERT INTO report VALUES ({marks})",  # noqa: S608
                [[row.get(name) for name in names] for row in plains],
            )
        file = Path(folder) / "report.parquet"
        database.execute(f"COPY report TO '{file}' (FORMAT parquet, COMPRESSION zstd)")
        return file.read_bytes()
