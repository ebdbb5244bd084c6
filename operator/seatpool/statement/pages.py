"""Writes the vendor's statement as a document: Markdown to keep, HTML to print."""

from collections.abc import Iterable
from datetime import UTC, datetime

from seatpool.statement.statement import ListChange, Person, Statement, meaning
from seatpool.text import escape_html, escape_unprintable

_STYLE = (
    "body{font:11pt/1.4 sans-serif;margin:2cm;color:#111}table{border-collapse:collapse;width:100%;font-size:9pt}"
    "th,td{border:1px solid #999;padding:3pt 5pt;text-align:left;vertical-align:top}code{font-size:8pt;word-break:break-all}"
    "thead{display:table-header-group}tr{break-inside:avoid}.remarks{border-left:3pt solid #b00;padding-left:8pt}"
    "@page{size:A4 landscape;margin:1.5cm}"
)
_HEADINGS = (
    "When (UTC)",
    "Revision",
    "Came on the list",
    "Went off the list",
    "People",
    "List before",
    "List after",
    "SSM command",
)


def markdown(found: Statement) -> str:
    """Returns the statement as a Markdown document."""
    lines = [
        f"# {escape_unprintable(title(found))}",
        "",
        *(f"- {name}: {escape_unprintable(value)}" for name, value in facts(found)),
        "",
    ]
    if found.remarks:
        lines += ["## Remarks", "", *(f"- {_md(text)}" for text in found.remarks), ""]
    lines += ["## Changes of the list", ""]
    if found.changes:
        lines += [_md_row(_HEADINGS), _md_row(["---"] * len(_HEADINGS))]
        lines += [_md_row([_md(cell) for cell in _cells(change)]) for change in found.changes]
    else:
        lines.append("None.")
    used = _rules_used(found)
    if used:
        lines += ["", "## Rules", "", *(f"- {rule}: {text}" for rule, text in used)]
    return "\n".join(lines) + "\n"


def html(found: Statement) -> str:
    """Returns the statement as an HTML document for printing. It loads nothing."""
    rows = "".join(
        "<tr>" + "".join(f"<td>{_html_cell(cell, index)}</td>" for index, cell in enumerate(_cells(change))) + "</tr>"
        for change in found.changes
    )
    head = "".join(f"<th>{escape_html(heading)}</th>" for heading in _HEADINGS)
    items = "".join(f"<li>{escape_html(name)}: {escape_html(value)}</li>" for name, value in facts(found))
    remarks = "".join(f"<li>{escape_html(text)}</li>" for text in found.remarks)
    rules = "".join(f"<li>{escape_html(rule)}: {escape_html(text)}</li>" for rule, text in _rules_used(found))
    name = escape_html(title(found))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{name}</title><style>{_STYLE}</style></head>'
        f"<body><h1>{name}</h1><ul>{items}</ul>"
        + (f'<div class="remarks"><h2>Remarks</h2><ul>{remarks}</ul></div>' if remarks else "")
        + f"<h2>Changes of the list</h2><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        + (f"<h2>Rules</h2><ul>{rules}</ul>" if rules else "")
        + "</body></html>\n"
    )


def title(found: Statement) -> str:
    """Returns the heading of the document."""
    return f"Named users of {found.product}: {_day(found.since)} to {_day(found.until)}"


def facts(found: Statement) -> list[tuple[str, str]]:
    """Returns the lines above the table of changes: name and value."""
    lines = [
        ("Product", f"{found.product} on license server {found.server} (pool {found.pool})"),
        ("Named users licensed", str(found.seats)),
        ("Most people on the list at once", str(found.most_people)),
        ("Rules", ", ".join(f"{name} {value}" for name, value in found.rules.items()) or "none"),
    ]
    if found.reassignments_allowed is not None:
        used = f"{found.reassignments_now} of {found.reassignments_allowed} in {found.reassignments_window}"
        lines.append(("Re-assignments used now", used))
    lines += [
        ("Changes of the list", str(len(found.changes))),
        ("Made", _instant(found.until)),
        ("How it is checked", "a list's hash is SHA-256 over its users in order, each followed by a newline"),
    ]
    return lines


def _cells(change: ListChange) -> tuple[str, ...]:
    return (
        _instant(change.at), str(change.revision), _people(change.added), _people(change.removed), str(change.people),
        change.hash_before or "not known", change.hash_after, change.command_id or "not known",
    )  # fmt: skip


def _people(people: Iterable[Person]) -> str:
    return ", ".join(f"{person.user} ({person.rule or 'no decision'})" for person in people) or "-"


def _rules_used(found: Statement) -> list[tuple[str, str]]:
    rules = {one.rule for change in found.changes for one in (*change.added, *change.removed) if one.rule}
    return [(rule, meaning(rule)) for rule in sorted(rules)]


def _instant(value: datetime) -> str:
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _day(value: datetime) -> str:
    return f"{value.astimezone(UTC):%Y-%m-%d}"


def _md(text: str) -> str:
    text = escape_unprintable(text)
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("_", "\\_").replace("*", "\\*").replace("<", "&lt;")


def _md_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _html_cell(cell: str, index: int) -> str:
    return f"<code>{escape_html(cell)}</code>" if index >= len(_HEADINGS) - 3 else escape_html(cell)
