from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from load_tests.capacity.measuring import Point
from load_tests.cli import app
from load_tests.exit_statuses import BROKEN, LATE
from tests.unit.load_tests.capacity.test_series import point

OUT_OF_PORTS = {"schedule_missed": "3 requests were not sent", "errors": 3}


@pytest.mark.parametrize(("kind", "measured"), [("scaling", "measure_scaling"), ("routers", "measure_routers")])
@pytest.mark.parametrize(
    ("made", "status", "says"),
    [(point(**OUT_OF_PORTS), LATE, "were not sent"), (point(errors=3), BROKEN, "3 requests failed"), (point(), 0, "")],
    ids=["out-of-ports", "failed", "good"],
)
def test_what_the_generator_lacked_is_not_blamed_on_the_cluster(
    kind: str, measured: str, made: Point, status: int, says: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("measure_scaling", "measure_routers"):
        monkeypatch.setattr(f"load_tests.capacity.command.{name}", lambda *_: iter(()))
    monkeypatch.setattr(f"load_tests.capacity.command.{measured}", lambda *_: iter([(kind, made)]))
    done = CliRunner().invoke(app, ["capacity", "--out", str(tmp_path / "capacity.json")])
    assert done.exit_code == status
    assert says in done.output
