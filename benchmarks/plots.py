"""Draws plots of results.json. `python -m benchmarks.plots`."""

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl

from benchmarks.results import FILE

mpl.use("svg")
from matplotlib import pyplot as plt

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "img"


def draw() -> list[Path]:
    """Draws every plot that has values, and returns the files."""
    values = json.loads(FILE.read_text())
    mpl.rcParams["svg.hashsalt"] = "seatpool"
    IMAGES.mkdir(parents=True, exist_ok=True)
    drawn = []
    if "growth" in values:
        drawn.append(_growth(values["growth"]))
    if "side_by_side" in values:
        drawn.append(_latency(values["side_by_side"]))
    return drawn


def _growth(growth: list[list[float]]) -> Path:
    objects, seconds, megabytes = zip(*growth, strict=True)
    figure, left = plt.subplots(figsize=(6.4, 3.6))
    left.plot(objects, seconds, "o-", color="tab:blue")
    left.set(xlabel="workbenches", ylabel="seconds until all lists are in sync", ylim=(0, None), xlim=(0, None))
    right = left.twinx()
    right.plot(objects, megabytes, "s--", color="tab:orange")
    right.set(ylabel="most memory, MB", ylim=(0, None))
    left.set_title("Start-up: seconds (line) and memory (dashes)")
    return _save(figure, "startup-growth.svg")


def _latency(workloads: dict[str, Any]) -> Path:
    figure, axes = plt.subplots(figsize=(6.4, 3.6))
    names = list(workloads)
    for offset, (side, label) in enumerate((("ours", "Seatpool"), ("pipeline", "minute-tick pipeline"))):
        p50 = [workloads[name][side]["latency_s"]["p50"] for name in names]
        p99 = [workloads[name][side]["latency_s"]["p99"] for name in names]
        places = [number + 0.38 * offset for number in range(len(names))]
        axes.bar(places, p99, width=0.36, alpha=0.45, color=f"C{offset}", label=f"{label}, p99")
        axes.bar(places, p50, width=0.36, color=f"C{offset}", label=f"{label}, p50")
    axes.set_yscale("log")
    axes.set_xticks([number + 0.19 for number in range(len(names))], names)
    axes.set_ylabel("seconds from start event to list")
    axes.legend(fontsize="small", ncol=2, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return _save(figure, "latency.svg")


def _save(figure: Any, name: str) -> Path:
    path = IMAGES / name
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    return path


if __name__ == "__main__":
    for path in draw():
        print(path)
