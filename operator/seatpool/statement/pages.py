"""Writes the vendor's statement as a document: Markdown to keep, HTML to print."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import tzinfo

from seatpool.statement.statement import ListChange, Person, PresentList, Statement, format_zoned, meaning
from seatpool.text import escape_html, escape_unprintable

_NOT_KNOWN = "not known"
_STYLE = (
    ":root{color-scheme:light dark;--ink:#111;--quiet:#555;--paper:#fff;--line:#999;--warn:#b00}"
    "@media screen and (prefers-color-scheme:dark){:root{--ink:#e6e6e6;--quiet:#a8a8a8;--paper:#161616;--line:#555;"
    "--warn:#f28b82}}"
    "body{font:11pt/1.4 sans-serif;max-width:80rem;margin:2rem auto;padding:0 1.5rem;color:var(--ink);"
    "background:var(--paper);overflow-wrap:anywhere}h1,h2{break-after:avoid-page}.quiet{color:var(--quiet)}"
    "table{border-collapse:collapse;width:100%;font-size:9pt}"
    "th,td{border:1px solid var(--line);padding:3pt 5pt;text-align:left;vertical-align:top}"
    "code{font-size:8pt;word-break:break-all}.remarks{border-left:3pt solid var(--warn);padding-left:8pt}"
    "@media screen and (max-width:50rem){body{padding:0 1rem}ul{padding-left:1.2rem}thead{display:none}"
    "table,tbody,tr,td{display:block}tr{border:1px solid var(--line);margin:.8rem 0;padding:.3rem .6rem}"
    'td{border:0;padding:.1rem 0}td::before{content:attr(data-label) ": ";color:var(--quiet)}}'
    "@page{size:A4 landscape;margin:1.5cm}"
    "@media print{body{margin:0;padding:0;max-width:none}thead{display:table-header-group}tr,li{break-inside:avoid-page}}"
)
_HEADINGS = ("When", "Revision", "Added", "Removed", "People", "List before", "List after", "SSM command")


@dataclass(frozen=True, slots=True)
class Origin:
    """Says how a document was made, and in which zone its times are."""

    version: str
    command: str
    """The command line."""
    zone: tzinfo


def markdown(found: Statement, origin: Origin) -> str:
    """Returns the statement as a Markdown document."""
    lines = [
        f"# {_md(title(found, origin))}",
        "",
        *(f"- {name}: {_md(value)}" for name, value in facts(found, origin)),
        f"- {_md(_made(found, origin))}: {_md(origin.command)}",
        "",
    ]
    if found.remarks:
        lines += ["## Remarks", "", *(f"- {_md(text)}" for text in found.remarks), ""]
    lines += ["## Changes of the list", ""]
    if found.changes:
        lines += [_md_row(_HEADINGS), _md_row(["---"] * len(_HEADINGS))]
        lines += [_md_row([_md(cell) for cell in _cells(change, origin)]) for change in found.changes]
    else:
        lines.append(_no_changes(found))
    used = _rules_used(found)
    if used:
        lines += ["", "## Rules", "", *(f"- {rule}: {text}" for rule, text in used)]
    return "\n".join(lines) + "\n"


def html(found: Statement, origin: Origin) -> str:
    """Returns the statement as an HTML document for printing. It loads nothing."""
    rows = "".join(
        "<tr>" + "".join(_html_cell(cell, index) for index, cell in enumerate(_cells(change, origin))) + "</tr>"
        for change in found.changes or ()
    )
    head = "".join(f"<th>{escape_html(heading)}</th>" for heading in _HEADINGS)
    items = "".join(f"<li>{escape_html(name)}: {escape_html(value)}</li>" for name, value in facts(found, origin))
    remarks = "".join(f"<li>{escape_html(text)}</li>" for text in found.remarks)
    rules = "".join(f"<li>{escape_html(rule)}: {escape_html(text)}</li>" for rule, text in _rules_used(found))
    name = escape_html(title(found, origin))
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{name}</title><style>{_STYLE}</style></head><body><h1>{name}</h1>"
        f'<p class="quiet">{escape_html(_made(found, origin))}: <code>{escape_html(origin.command)}</code></p>'
        f"<ul>{items}</ul>"
        + (f'<div class="remarks"><h2>Remarks</h2><ul>{remarks}</ul></div>' if remarks else "")
        + f"<h2>Changes of the list</h2>{table if rows else f'<p>{_no_changes(found)}</p>'}"
        + (f"<h2>Rules</h2><ul>{rules}</ul>" if rules else "")
        + "</body></html>\n"
    )


def title(found: Statement, origin: Origin) -> str:
    """Returns the heading of the document."""
    since, until = (f"{one.astimezone(origin.zone):%Y-%m-%d}" for one in (found.since, found.until))
    return f"Named users of {found.product}: {since} to {until}"


def facts(found: Statement, origin: Origin) -> list[tuple[str, str]]:
    """Returns the lines above the table of changes: name and value."""
    lines = [
        ("Time zone", str(origin.zone)),
        ("Period", f"{format_zoned(found.since, origin.zone)} to {format_zoned(found.until, origin.zone)}"),
        ("Product", f"{found.product} on license server {found.server} (pool {found.pool})"),
        ("Named users licensed", str(found.seats)),
        ("Most people on the list at once", _count(found.most_people)),
        ("List on the license server", _present(found.present)),
        ("Rules", ", ".join(f"{name} {value}" for name, value in found.rules.items()) or "none"),
    ]
    if found.reassignments_allowed is not None:
        used = f"{found.reassignments_now} of {found.reassignments_allowed} in {found.reassignments_window}"
        lines.append(("Re-assignments used now", used))
    lines.append(("Changes of the list", _count(None if found.changes is None else len(found.changes))))
    if found.writes_without_change:
        lines.append(("Writes that changed nothing, not shown", str(found.writes_without_change)))
    lines += [
        ("Placeholder", f"{name} stands on a list without users; it is no person") for name in _placeholders(found)
    ]
    lines += [("Audit trail", source) for source in found.sources]
    lines.append(("How it is checked", "a list's hash is SHA-256 over its sorted entries, each followed by a newline"))
    return lines


def _made(found: Statement, origin: Origin) -> str:
    return f"Made {format_zoned(found.until, origin.zone)} by Seatpool {origin.version}"


def _present(present: PresentList | None) -> str:
    if present is None:
        return _NOT_KNOWN
    entry = f" (the entry {present.placeholder} is no person)" if present.placeholder is not None else ""
    people = "1 person" if present.people == 1 else f"{present.people} people"
    return f"{people}{entry}, revision {present.revision}, hash {present.hash or _NOT_KNOWN}"


def _placeholders(found: Statement) -> list[str]:
    names = {change.placeholder for change in found.changes or ()}
    names |= {found.present.placeholder} if found.present is not None else set()
    return sorted(name for name in names if name is not None)


def _no_changes(found: Statement) -> str:
    return "Not known." if found.changes is None else "None."


def _count(number: int | None) -> str:
    return _NOT_KNOWN if number is None else str(number)


def _cells(change: ListChange, origin: Origin) -> tuple[str, ...]:
    return (
        format_zoned(change.at, origin.zone), str(change.revision), _people(change.added), _people(change.removed),
        str(change.people), change.hash_before or _NOT_KNOWN, change.hash_after or _NOT_KNOWN,
        change.command_id or _NOT_KNOWN,
    )  # fmt: skip


def _people(people: Iterable[Person]) -> str:
    return ", ".join(f"{person.user} ({person.rule or 'no decision'})" for person in people) or "-"


def _rules_used(found: Statement) -> list[tuple[str, str]]:
    rules = {one.rule for change in found.changes or () for one in (*change.added, *change.removed) if one.rule}
    return [(rule, meaning(rule)) for rule in sorted(rules)]


def _md(text: str) -> str:
    text = escape_unprintable(text).replace("\\", "\\\\").replace("<", "&lt;")
    for mark in "|_*`[":
        text = text.replace(mark, f"\\{mark}")
    return text


def _md_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _html_cell(cell: str, index: int) -> str:
    content = f"<code>{escape_html(cell)}</code>" if index >= len(_HEADINGS) - 3 else escape_html(cell)
    return f'<td data-label="{escape_html(_HEADINGS[index])}">{content}</td>'
