"""Processes below another one, on a made-up table of processes."""

from __future__ import annotations

from deployments.cli import processes


def test_descendants_are_found_nearest_first_and_others_are_not(monkeypatch):
    table = [(2, 1), (3, 1), (4, 2), (5, 4), (9, 8)]
    monkeypatch.setattr(processes, "_parents", lambda: table)
    assert processes.descendants(1) == [2, 3, 4, 5]
    assert processes.descendants(4) == [5]
    assert processes.descendants(5) == []
