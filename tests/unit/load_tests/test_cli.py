from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from load_tests.aims.rounds import GroupRound
from load_tests.cli import BROKEN, LATE, UNUSABLE, app
from load_tests.results import Side, read_result
from tests.unit.load_tests.stalling_server import stalling_server
from tests.unit.load_tests.test_progress import result_of
from tests.unit.load_tests.test_results import run

SCENARIO = """
about: Small.
lateness_p99_ms: {late}
questions:
  health: {{get: /healthz}}
loads:
  peak: {{ask: health, clients: 2, duration_s: 0.2, warm_s: 0}}
  calm: {{ask: health, warm_s: 0, arrivals: {{kind: constant, rate: {rate}, duration_s: 0.5}}}}
thresholds:
  - {{metric: throughput_rps, of: peak, to: {{target: sightline, load: peak}}, at_least: {limit}}}
"""


def call(tmp_path: Path, *, late: float = 5000, rate: float = 20, limit: float = 1):
    (tmp_path / "small.yaml").write_text(SCENARIO.format(late=late, rate=rate, limit=limit))
    with stalling_server() as server:
        arguments = ["run", str(tmp_path / "small.yaml"), "--url", server.url, "--out", str(tmp_path / "out.json")]
        return CliRunner().invoke(app, arguments)


def test_a_run_prints_a_table_and_writes_its_result(tmp_path: Path) -> None:
    done = call(tmp_path)
    assert done.exit_code == 0, done.output
    assert "held: throughput_rps of peak >= 1" in done.output
    result = read_result(tmp_path / "out.json")
    assert [run.load for run in result.runs] == ["peak", "calm"]
    assert result.runs[1].sent == 10
    assert "Load test: small" in (tmp_path / "out.html").read_text()


def test_results_are_drawn_anew_and_compared(tmp_path: Path) -> None:
    call(tmp_path)
    (tmp_path / "out.html").unlink()
    out = str(tmp_path / "out.json")
    assert CliRunner().invoke(app, ["page", out]).exit_code == 0
    assert (tmp_path / "out.html").exists()
    done = CliRunner().invoke(app, ["compare", out, out, "--out", str(tmp_path / "both.html")])
    assert done.exit_code == 0, done.output
    assert "throughput_rps" in done.output
    assert "Load tests compared" in (tmp_path / "both.html").read_text()


@pytest.mark.parametrize("text", [None, "{}", "no JSON"])
def test_what_is_no_result_is_refused(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "file.json"
    if text is not None:
        path.write_text(text)
    done = CliRunner().invoke(app, ["compare", str(path), str(path)])
    assert done.exit_code == UNUSABLE
    assert "load_tests: " in done.output


def test_a_threshold_that_is_broken_is_an_exit_status(tmp_path: Path) -> None:
    done = call(tmp_path, limit=2)
    assert done.exit_code == BROKEN
    assert "BROKEN" in done.output


def test_a_schedule_that_was_missed_is_an_exit_status_and_no_result(tmp_path: Path) -> None:
    done = call(tmp_path, late=0.0001)
    assert done.exit_code == LATE
    assert "no report" in done.output
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize("arguments", [["run", "nothing"], ["search", "nothing", "--p99-ms", "10"]])
def test_an_unknown_scenario_is_answered_with_those_there_are(arguments: list[str]) -> None:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == UNUSABLE
    assert "churn, detect, empty" in " ".join(done.output.split())


def test_aims_that_were_measured_are_printed_and_not_measured_again(tmp_path: Path) -> None:
    runs = [
        run(Side(target=target, load=load), 0, throughput_rps=rate)
        for target, rate in (("sightline", 8.0), ("one_process", 10.0), ("stock_serve", 2.0))
        for load in ("peak", "empty", "one_client")
    ]
    (tmp_path / "plates-1.json").write_text(GroupRound(result=result_of(*runs)).model_dump_json())
    done = CliRunner().invoke(app, ["aims", "--rounds", "1", "--only", "plates", "--out", str(tmp_path)])
    assert done.exit_code == BROKEN, done.output
    rows = {line[:34].strip(): line[34:].split() for line in done.output.splitlines()}
    assert rows["throughput / one process"] == [">=", "0.85", "0.80", "0.80-0.80", "1", "MISSED"]
    assert rows["throughput / stock Serve"] == [">=", "3.00", "4.00", "4.00-4.00", "1", "held"]
    assert "| throughput / stock Serve | >= 3.00 | 4.00 |" in (tmp_path / "aims.md").read_text()
    assert "Load test: plates" in (tmp_path / "plates.html").read_text()


def test_a_group_that_there_is_not_is_refused() -> None:
    done = CliRunner().invoke(app, ["aims", "--only", "nothing"])
    assert done.exit_code == UNUSABLE
    assert "churn, peer, light_peer" in done.output
