"""The importer and a simple matcher agree on generated logs. `SEATPOOL_LOGS=10000` sets how many; a few in the suite."""

import contextlib
import os
from collections.abc import Iterable
from datetime import UTC
from pathlib import Path
from random import Random

from tests.unit.history.generated_logs import (
    LONGEST,
    Covered,
    Line,
    generated_log,
    joined,
    pieces,
    simply_matched,
)

from seatpool.history.flexnet import merge_logs, parse_log
from seatpool.history.importing import LogImport, NothingImported
from seatpool.history.license_log import ImportSource, LicenseLog
from seatpool.history.schema import Session
from seatpool.history.store import open_history

LOGS = int(os.environ.get("SEATPOOL_LOGS", "300"))
GROWN = max(3, LOGS // 100)


def covered(sessions: Iterable[tuple[str, str, object, object]]) -> Covered:
    found: Covered = {}
    for feature, user, begin, end in sessions:
        found.setdefault((feature, user), []).append((begin, end))  # type: ignore[arg-type]
    return {key: union for key, every in found.items() if (union := joined(every))}


def without_nothing(found: Covered) -> Covered:
    return {key: union for key, union in found.items() if union}


def text(lines: Iterable[Line]) -> str:
    return "".join(f"{line}\n" for line in lines)


def test_the_importer_and_a_simple_matcher_for_each_host_agree() -> None:
    for seed in range(LOGS):
        random = Random(seed)
        lines = generated_log(random)
        parts = pieces(lines, random)
        log = LicenseLog(ImportSource(name="t", server="s", source="flexnet"), longest=LONGEST)
        parsed = [parse_log(text(part).splitlines(), zone=UTC, user_of=str.lower) for part in parts]
        rows = [row for row in log.rows(merge_logs(parsed)) if isinstance(row, Session)]
        expected, odd = simply_matched(lines)
        assert all(row.granted_at <= (row.released_at or row.granted_at) for row in rows)
        found = covered((row.product, row.user_id, row.granted_at, row.released_at) for row in rows)
        assert found == without_nothing(expected), f"seed {seed}, {len(parts)} files"
        assert log.oddities == odd, f"seed {seed}, {len(parts)} files"
        assert not any(one.passed_over for one in parsed)


def imported(folder: Path, file: Path) -> list[tuple[object, ...]]:
    """Everything of a folder after the import of a file into it."""
    job = LogImport(files=[file], into=folder, name="t", server=None, zone=UTC, user_of=str.lower, longest=LONGEST)
    with contextlib.suppress(NothingImported):
        job.import_flexnet()
    if not folder.is_dir():
        return []
    with open_history(folder) as database:
        return sorted(database.execute("SELECT * EXCLUDE (seen_at) FROM sessions").fetchall())


def test_a_log_that_grew_and_was_imported_again_is_what_one_import_gives(tmp_path: Path) -> None:
    for seed in range(GROWN):
        random = Random(seed)
        lines = generated_log(random)
        file = tmp_path / f"{seed}.log"
        for length in sorted({*random.sample(range(1, len(lines)), 2), len(lines)}):
            file.write_text(text(lines[:length]))
            found = imported(tmp_path / f"grown{seed}", file)
        assert found == imported(tmp_path / f"fresh{seed}", file), f"seed {seed}"
