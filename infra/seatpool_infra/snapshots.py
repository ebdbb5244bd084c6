"""Templates as they are kept beside the tests: indented, and without what every release changes.

The document and its hash follow the apply script and have tests of their own; a change of that script is no change
of the templates.
"""

import json
from pathlib import Path
from typing import Any

from seatpool.servers.ssm.document import document_hash, document_json

FOLDER = Path(__file__).parents[2] / "tests" / "unit" / "infra" / "snapshots"
CONTENT, HASH = "<content of the document>", "<hash of the document>"
SUFFIX = ".template.json"


def snapshots(assembly: Path) -> dict[str, str]:
    """File name and text of each template in a folder that was synthesised into."""
    return {path.name: _text(path) for path in sorted(assembly.glob(f"*{SUFFIX}"))}


def _text(path: Path) -> str:
    template = json.loads(path.read_text(encoding="utf-8"))
    return json.dumps(_without_document(template), indent=2) + "\n"


def _without_document(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_document(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_document(each) for each in value]
    return {document_json(): CONTENT, document_hash(): HASH}.get(value, value) if isinstance(value, str) else value
