"""The tables of docs/metrics.md."""

from __future__ import annotations

from pathlib import Path

PAGE = Path(__file__).resolve().parents[4] / "docs/metrics.md"


def rows() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Name -> type and labels; every cell of a row is filled, that of the labels excepted."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for line in PAGE.read_text().splitlines():
        if not line.startswith("| `"):
            continue
        name, kind, labels, *rest = (cell.strip() for cell in line.strip("|").split("|"))
        name = name.strip("`")
        assert name not in found, f"{name} has two rows"
        assert len(rest) == 3, f"{name}: a row has six cells"
        assert all(rest), f"{name}: a cell is empty"
        found[name] = kind, tuple(label.strip("` ") for label in labels.split(",") if label.strip("` "))
    return found
