"""Formats figures for people and for programs."""

import math
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC
from typing import Any

from seatpool.api.base import format_instant
from seatpool.reports.figures import Figures
from seatpool.reports.hours import HourOfWeek
from seatpool.reports.question import By, Question
from seatpool.reports.report import Report

TITLES = {
    By.POOL: "Pools",
    By.USER: "People",
    By.TEAM: "Teams",
    By.TYPE: "Types of workbench",
    By.ACCOUNT: "AWS accounts",
    By.HOUR: "Hours of the week",
}


def window(question: Question) -> str:
    """Returns begin and end in the report's time zone."""
    since, until = question.since.astimezone(question.zone), question.until.astimezone(question.zone)
    spec = "%Y-%m-%d" if (since.hour, since.minute, until.hour, until.minute) == (0, 0, 0, 0) else "%Y-%m-%d %H:%M"
    zone = "UTC" if question.zone is UTC else str(question.zone)
    return f"{since:{spec}} to {until:{spec}} ({zone})"


def as_json(report: Report) -> dict[str, Any]:
    """Returns a whole report. Unknown values are left out."""
    question = report.question
    return {
        "since": format_instant(question.since),
        "until": format_instant(question.until),
        "time_zone": str(question.zone),
        "by": report.by.value,
        "rows": [plain(row, by=report.by) for row in report.rows],
        "users_never_seen": list(report.never_seen),
        "remarks": list(report.remarks),
    }


def plain(row: Figures | HourOfWeek, *, by: By) -> Mapping[str, Any]:
    """Returns a row by its names, the first of which says what it is about. Numbers have three decimals."""
    found: dict[str, Any] = {}
    for field in fields(row):
        value = getattr(row, field.name)
        if value is None or (isinstance(value, float) and math.isnan(value)):
            continue
        name = by.value if field.name == "name" else field.name
        found[name] = round(value, 3) if isinstance(value, float) else value
    return found


def columns(by: By) -> list[str]:
    """Returns the names of a row's values, in order."""
    kind = HourOfWeek if by is By.HOUR else Figures
    return [by.value if field.name == "name" else field.name for field in fields(kind)]
