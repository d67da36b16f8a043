from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from load_tests.aims.rounds import GroupRound
from load_tests.cli import app
from load_tests.exit_statuses import BROKEN, LATE, UNUSABLE
from load_tests.results import Side, read_result
from load_tests.statistics import ScheduleMissedError
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
  - {{metric: {metric}, of: peak, to: {{target: sightline, load: peak}}, at_least: {limit}}}
"""


def call(tmp_path: Path, *, late: float = 5000, rate: float = 20, limit: float = 1, metric: str = "throughput_rps"):
    (tmp_path / "small.yaml").write_text(SCENARIO.format(late=late, rate=rate, limit=limit, metric=metric))
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


def test_a_server_that_answers_nothing_good_is_an_exit_status(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SCENARIO.format(late=5000, rate=20, limit=1, metric="p99_ms"))
    arguments = ["run", str(tmp_path / "small.yaml"), "--url", "http://127.0.0.1:1", "--out", str(tmp_path / "o.json")]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == UNUSABLE
    said = " ".join(done.output.split())
    assert "calm: no good answer to 10 requests: 10 x connection refused" in said
    assert (tmp_path / "o.json").exists()  # what the errors were is in it


def test_a_threshold_that_nobody_knows_of_is_an_exit_status(tmp_path: Path) -> None:
    """Without --pid the server's processes are not seen."""
    done = call(tmp_path, metric="cpu_ms")
    assert done.exit_code == BROKEN
    assert "not known: cpu_ms of peak" in done.output
    assert "--pid" in done.output


def test_a_schedule_that_was_missed_is_an_exit_status_and_no_result(tmp_path: Path) -> None:
    done = call(tmp_path, late=0.0001)
    assert done.exit_code == LATE
    assert "no report" in done.output
    assert not (tmp_path / "out.json").exists()


def test_what_was_measured_before_a_load_failed_is_written_and_says_that_it_is_partial(tmp_path: Path) -> None:
    done = call(tmp_path, late=0.0001)
    partial = read_result(tmp_path / "out-partial.json")
    assert [run.load for run in partial.runs] == ["peak"]
    assert partial.outcomes == ()
    assert "the generator sent 1 %" in partial.left_out["everything else"]
    assert "Load test: small (partial)" in (tmp_path / "out-partial.html").read_text()
    assert "written to" in done.output


@pytest.mark.parametrize("arguments", [["run", "nothing"], ["search", "nothing", "--p99-ms", "10"]])
def test_an_unknown_scenario_is_answered_with_those_there_are(arguments: list[str]) -> None:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == UNUSABLE
    assert "churn, detect, empty" in " ".join(done.output.split())


@pytest.mark.parametrize(
    "wrong",
    [
        ["--url", "localhost:9001"],
        ["--url", "https://host"],
        ["--url", "http://host:99999"],
        ["--url", "http://host:1/path"],
        ["--url", "http://host:1", "--header", "no colon"],
        ["--url", "http://host:1", "--header", "Name: \u20ac"],
        ["--url", "http://host:1", "--header", "Name: a\nb"],
        ["--url", "http://host:1", "--pid", "999999999"],
        ["--url", "http://host:1", "--out", "."],
        ["--url", "http://host:1", "--out", "/dev/null/out.json"],
        ["--url", "http://host:1", "--out", "result.html"],
    ],
)
def test_options_that_cannot_work_are_usage_errors_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("load_tests.cli.run_scenario", lambda *_, **__: pytest.fail("it has started"))
    done = CliRunner().invoke(app, ["run", "empty", *wrong])
    assert done.exit_code == 2
    assert f"Invalid value for {wrong[-2]}" in done.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", [b"about: \xff", b"about: a\nabout: b", b"{aks: ok}", None])
def test_a_file_that_is_no_scenario_is_a_usage_error(tmp_path: Path, text: bytes | None) -> None:
    if text is not None:
        (tmp_path / "wrong.yaml").write_bytes(text)
    done = CliRunner().invoke(app, ["run", str(tmp_path / "wrong.yaml")])
    assert (done.exit_code, type(done.exception)) == (UNUSABLE, SystemExit)
    assert text != b"{aks: ok}" or "wrong.yaml: aks: Extra inputs" in done.output


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


def test_aims_that_a_measured_group_does_not_tell_are_an_exit_status(tmp_path: Path) -> None:
    silent = run(Side(target="sightline", load="ragged_peak"), 0)  # no calls to the models were counted
    (tmp_path / "ragged-1.json").write_text(GroupRound(result=result_of(silent)).model_dump_json())
    done = CliRunner().invoke(app, ["aims", "--rounds", "1", "--only", "ragged", "--out", str(tmp_path)])
    assert done.exit_code == BROKEN, done.output
    assert "MISSED" not in done.output


def test_a_group_that_there_is_not_is_refused() -> None:
    done = CliRunner().invoke(app, ["aims", "--only", "nothing"])
    assert done.exit_code == UNUSABLE
    assert "churn, peer, light_peer" in done.output


def search(monkeypatch: pytest.MonkeyPatch, *, late_from: float, broken_from: float) -> tuple[int, str]:
    """A search of which every probe is made up; its exit status, and its last line."""

    def probe(scenario: object, question: str, server: object, rate_rps: float, *_: object) -> tuple[float, str]:
        if rate_rps >= late_from:
            raise ScheduleMissedError("late")
        return float(rate_rps < broken_from), "made up"

    monkeypatch.setattr("load_tests.cli._probe", probe)
    url = "http://127.0.0.1:9"
    done = CliRunner().invoke(app, ["search", "plates", "--p99-ms", "500", "--url", url, "--precision", "1"])
    return done.exit_code, " ".join(done.output.split())


def test_a_search_says_what_held_and_where_it_broke(monkeypatch: pytest.MonkeyPatch) -> None:
    status, said = search(monkeypatch, late_from=100, broken_from=10)
    assert status == 0
    assert said.endswith("p99 <= 500 ms held up to 8.00 requests/s; it broke at 16.00/s")


def test_a_search_does_not_take_the_limit_of_the_generator_for_that_of_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    status, said = search(monkeypatch, late_from=10, broken_from=100)
    assert status == LATE
    assert "held up to 8.00 requests/s; beyond it the generator could not keep its schedule" in said
    assert "broke" not in said


def test_a_search_of_which_every_probe_is_late_reports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    status, said = search(monkeypatch, late_from=0, broken_from=100)
    assert status == LATE
    assert "held" not in said


def test_a_search_of_a_server_that_does_not_answer_ends_with_its_first_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("load_tests.cli.PROBE_S", (0.2, 0.2))
    arguments = ["search", "empty", "--p99-ms", "500", "--first-rps", "100", "--url", "http://127.0.0.1:1"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == UNUSABLE
    said = " ".join(done.output.split())
    assert "no good answer to" in said
    assert "x connection refused" in said
    assert "held" not in said


def test_a_search_of_a_server_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def running(_: object) -> None:
        raise RuntimeError("ended with status 1 before it was ready")

    monkeypatch.setattr("load_tests.cli.SightlineTarget.running", running)
    done = CliRunner().invoke(app, ["search", "empty", "--p99-ms", "500"])
    assert done.exit_code == UNUSABLE
    assert "load_tests: ended with status 1 before it was ready" in done.output
