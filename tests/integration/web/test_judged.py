"""An outside judge, Schemathesis, throws requests made from the document at the API, as several callers.

It finds answers that are not documented, bodies and header fields that do not fit their schemas, requests without a token
that are answered, and errors of the server. It takes whatever routes the document has.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.integration.web.conftest import Site

EXAMPLES = 10
"""Requests that are drawn for each operation."""
CHECKS_LEFT_OUT = "positive_data_acceptance"
"""It wants every text to be accepted that a schema permits. No schema can list the time zones."""


@pytest.mark.parametrize(
    ("caller", "phases"),
    [("admin", "examples,coverage,fuzzing"), ("numbers", "fuzzing"), ("bob", "fuzzing"), (None, "fuzzing")],
    ids=["admin", "numbers", "bob", "without-token"],
)
def test_every_answer_is_as_the_document_says(site: Site, tmp_path: Path, caller: str | None, phases: str) -> None:
    """The systematic requests (coverage) take longest. What they find does not depend on the caller."""
    document = site.get("/api/v1/openapi.json", "admin").json
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(document))
    command = [
        str(Path(sys.executable).parent / "schemathesis"), "run", str(file), "--url", f"http://127.0.0.1:{site.server.port}",
        "--phases", phases, "--max-examples", str(EXAMPLES), "--seed", "1", "--no-color",
        "--checks", "all", "--exclude-checks", CHECKS_LEFT_OUT, "--generation-database", "none",
    ]  # fmt: skip
    for path in streams(document):
        command += ["--exclude-path", path]
    if caller is not None:
        command += ["--header", f"Authorization: Bearer {site.tokens[caller]}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    operations = sum(len(one) for path, one in document["paths"].items() if path not in streams(document))
    assert f"Tested: {operations}\n" in done.stdout, done.stdout[-2000:]


def streams(document: Any) -> list[str]:
    """The paths whose answers have no end."""
    return [
        path
        for path, operations in document["paths"].items()
        for operation in operations.values()
        if "text/event-stream" in operation["responses"].get("200", {}).get("content", {})
    ]
