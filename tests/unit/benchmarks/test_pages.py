"""The newest figures stand where people read them, and what a run left out is not lost."""

import json
from pathlib import Path

import pytest
from benchmarks import pages
from benchmarks.results import Results, Row

MARKED = "before\n<!-- measured -->\nold\n<!-- end of measured -->\nafter\n"


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("README", "PAGE"):
        monkeypatch.setattr(pages, name, tmp_path / f"{name}.md")
        (tmp_path / f"{name}.md").write_text(MARKED)
    monkeypatch.setattr(pages, "FILE", tmp_path / "results.json")
    return tmp_path


def run(places: Path, benchmark: str, *rows: Row) -> None:
    results = Results()
    results.add(benchmark, list(rows), {f"{benchmark}_value": len(rows)})
    results.write(places / "results.json")


def test_the_page_has_every_row_and_the_readme_those_with_a_target(places: Path) -> None:
    run(places, "micro", Row("allocate", "7 µs"))
    run(places, "storm", Row("all lists right", "4.1", ratio=4.1, target=5, at_most=True))
    pages.write()
    page, readme = ((places / name).read_text() for name in ("PAGE.md", "README.md"))
    assert page.startswith("before\n<!-- measured -->\n`make bench` on ")
    assert page.endswith("<!-- end of measured -->\nafter\n")
    assert "old" not in page + readme
    assert "| all lists right | 4.1 |  | 4.1x | yes (at most 5) |\n| allocate | 7 µs |  |  |  |" in page
    assert "all lists right" in readme
    assert "allocate" not in readme


def test_what_a_run_leaves_out_stays_from_the_last(places: Path) -> None:
    run(places, "micro", Row("first", "1"))
    run(places, "storm", Row("second", "2"))
    run(places, "micro", Row("third", "3"))
    kept = json.loads((places / "results.json").read_text())
    assert kept["rows"] == {"micro": [["third", "3", "", "", ""]], "storm": [["second", "2", "", "", ""]]}


def test_a_page_without_its_marks_is_refused_and_left_alone(places: Path) -> None:
    run(places, "micro", Row("first", "1"))
    (places / "PAGE.md").write_text("no marks\n")
    with pytest.raises(SystemExit, match="0 places"):
        pages.write()
    assert (places / "PAGE.md").read_text() == "no marks\n"
