"""Makes the reference pages from the tables that the program itself uses.

`make generate` writes the pages, and a test fails if they differ from the tables. So a text on a screen, a reason in a
condition, and their lines in the documentation are one value.
"""

from collections.abc import Mapping
from pathlib import Path

from seatpool.api.reasons import CONDITION_TYPES, EVENT_SENTENCES
from seatpool.api.reasons import SENTENCES as CONDITION_SENTENCES
from seatpool.domain.reasons import Reason, sentence
from seatpool.explain.messages import MESSAGES, Part
from seatpool.notify import schemas
from seatpool.reference.api_page import api_page
from seatpool.reference.metrics_page import markdown_table, metrics_page
from seatpool.reference.openapi_page import openapi_page
from seatpool.reference.settings_page import settings_page

_MADE = "<!-- Made by `make generate` from the tables in the code: change those. -->\n"

EXIT_CODES: Mapping[int, str] = {
    0: "It is well: no problem was found, the person has what is needed, the list is as it should be, the command was done.",
    1: "There is something to look at: a problem, a user who waits or is denied, a list that differs, a change that was "
    "not approved, a read-back that did not come.",
    2: "A mistake in the command, an object that does not exist, or no answer from the Kubernetes API; one line on standard "
    "error says which.",
    130: "Ctrl-C. Of `verify` and `approve`: the operator goes on with what it was asked to do.",
    141: "The program that reads the output ended first.",
}


def pages() -> dict[str, str]:
    """Returns every page, by file name."""
    made = {
        "conditions.md": conditions_page(),
        "answers.md": answers_page(),
        "metrics.md": f"# Metrics\n\n{_MADE}\n{metrics_page()}",
        "settings.md": f"# All settings\n\n{_MADE}\n{settings_page()}",
        "api.md": f"# Resources\n\n{_MADE}\n{api_page()}",
        "openapi.json": openapi_page(),
    }
    return made | {f"events/{name}": text for name, text in schemas.files().items()}


def write(folder: Path) -> list[Path]:
    """Writes the pages that differ. Returns the files that were written."""
    changed = []
    for name, text in pages().items():
        path = folder / name
        if not path.is_file() or path.read_text() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            changed.append(path)
    return changed


def conditions_page() -> str:
    """Returns the page of conditions, their reasons, the reasons of seats, and Events."""
    parts = ["# Conditions, reasons and Events\n", _MADE]
    parts.append(
        "Conditions follow the Kubernetes API conventions; `kubectl wait --for=condition=Ready` works for each kind.\n"
    )
    for kind, types in CONDITION_TYPES.items():
        parts += [f"## Conditions of {kind}\n", markdown_table(("Condition", "Holds when"), types.items())]
    parts += [
        "## Reasons of conditions\n",
        markdown_table(("Reason", "Meaning"), ((reason.value, text) for reason, text in CONDITION_SENTENCES.items())),
        "## Reasons of seats\n",
        "In `status.seats[].reason` of a Workbench, `status.queue[].reason` of a LicensePool, and SeatLedgers.\n",
        markdown_table(("Reason", "Meaning"), ((reason.value, sentence(reason)) for reason in Reason)),
        "## Reasons of Events\n",
        "Events are few on purpose: the same news within ten minutes are one Event with a count, and it shows the newest text.\n",
        markdown_table(("Reason", "Meaning"), ((reason.value, text) for reason, text in EVENT_SENTENCES.items())),
    ]
    return "\n".join(parts)


def answers_page() -> str:
    """Returns the page of the messages of `seatpool why`, and of the exit codes."""
    parts = ["# What `seatpool why` says\n", _MADE]
    parts.append(
        "An answer has lines about how the person stands, the rule that decides with the object and the field behind it, when it "
        "changes, and what stands in the way. `-o json` has the id beside each text. Instants are in the time zone of the "
        "terminal, and RFC 3339 in UTC in JSON and YAML.\n"
    )
    for part in Part:
        rows = [
            (str(key), f"`{entry.template}`", f"`spec.{entry.field}`" if entry.field else "")
            for key, entry in MESSAGES.items()
            if entry.part is part
        ]
        parts += [f"## {part.value.capitalize()}\n", markdown_table(("Id", "Sentence", "Field"), rows)]
    parts += [
        "## Exit codes\n",
        markdown_table(("Code", "Meaning"), ((str(code), text) for code, text in EXIT_CODES.items())),
    ]
    return "\n".join(parts)
