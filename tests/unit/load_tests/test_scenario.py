from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from load_tests.scenario import SCENARIO_DIRECTORY, ScenarioError, find_scenario, read_scenario

SMALL = """
about: Small.
questions:
  health: {get: /healthz}
loads:
  peak: {ask: health, clients: 2, duration_s: 1}
  calm: {ask: health, rates_of: peak, arrivals: {kind: constant, rate: 0.5, duration_s: 1}}
thresholds:
  - {metric: p99_ms, of: calm, to: {target: sightline, load: peak}, at_most: 2}
"""


LOADS = yaml.safe_load(SMALL)["loads"]


def test_the_scenarios_that_are_named_are_shipped_and_read() -> None:
    names = {"empty", "detect", "plates", "ragged", "overload", "step", "soak", "churn", "baselines", "peer", "reading"}
    assert names == {path.stem for path in SCENARIO_DIRECTORY.glob("*.yaml")}
    for name in names:
        assert read_scenario(find_scenario(name)).about


def test_ragged_photographs_have_none_to_twenty_plates() -> None:
    ragged = read_scenario(find_scenario("ragged")).questions["ragged"].pictures.plates
    assert (min(ragged), max(ragged)) == (0, 20)


def test_churn_takes_twelve_models_through_four_slots() -> None:
    churn = read_scenario(find_scenario("churn"))
    assert len(set(churn.questions["cycling"].models or ())) == churn.server.model_copies == 12
    assert churn.server.max_loaded_models == 4


def test_overload_asks_three_times_what_can_be_answered() -> None:
    overload = read_scenario(find_scenario("overload")).loads["overload"]
    assert overload.rates_of == "peak"
    assert overload.arrivals is not None
    assert overload.arrivals.rate == 3


def test_a_scenario_without_plates_shows_one(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    assert read_scenario(tmp_path / "small.yaml").questions["health"].pictures.plates == {1: 1.0}


def test_files_are_found_from_the_scenarios_folder(tmp_path: Path) -> None:
    (tmp_path / "w.json").write_text('{"inputs": []}')
    (tmp_path / "t.csv").write_text("at_s\n0\n1\n")
    (tmp_path / "small.yaml").write_text(
        "about: a\nquestions: {w: {workflow: w.json}}\nloads: {t: {ask: w, arrivals: {kind: trace, path: t.csv}}}\n"
    )
    scenario = read_scenario(tmp_path / "small.yaml")
    assert scenario.questions["w"].workflow == str(tmp_path / "w.json")
    assert getattr(scenario.loads["t"].arrivals, "path", None) == tmp_path / "t.csv"


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        ("roundz", 1, "roundz: Extra inputs are not permitted"),
        ("questions", {"health": {}}, "questions.health: Value error, a question has one of get, workflow and models"),
        ("questions", {}, "questions: Dictionary should have at least 1 item"),
        ("loads", {"peak": {"aks": "health", "clients": 1}}, "loads.peak.aks: Extra inputs are not permitted"),
        ("timeout_s", float("inf"), "timeout_s: Input should be a finite number"),
        (
            "loads",
            LOADS | {"a": {"ask": "health", "arrivals": {"kind": "constant", "rate": 1e6, "duration_s": 1e5}}},
            "loads.a.arrivals: the schedule asks for 1e+11 requests",
        ),
        (
            "loads",
            LOADS | {"a": {"ask": "health", "arrivals": {"kind": "trace", "path": "none.csv"}}},
            "loads.a.arrivals: trace none.csv: No such file",
        ),
        (
            "questions",
            {"health": {"workflow": "none.json"}},
            "questions.health: none.json cannot be read: No such file",
        ),
        ("questions", {"health": {"get": "/a b"}}, "questions.health.get: String should match pattern"),
        ("loads", {"peak": {"ask": "health"}}, "a load has either arrivals or clients"),
        ("loads", {"peak": {"ask": "health", "clients": 1}}, "duration_s goes with clients"),
        ("loads", {"peak": {"ask": "healht", "clients": 1, "duration_s": 1}}, "ask: 'healht' is not among health"),
        (
            "loads",
            {"a": {"ask": "health", "rates_of": "b", "arrivals": {"kind": "poisson", "rate": 1, "duration_s": 1}}},
            "rates_of: 'b' is not among any before it",
        ),
        (
            "loads",
            {"a": {"ask": "health", "arrivals": {"kind": "gauss", "rate": 1, "duration_s": 1}}},
            "loads.a.arrivals: Input tag 'gauss' found",
        ),
        (
            "thresholds",
            [{"metric": "p99_ms", "of": "calm", "to": {"target": "theirs", "load": "peak"}, "at_most": 1}],
            "to.target: 'theirs' is not among sightline",
        ),
        (
            "thresholds",
            [{"metric": "p99_ms", "of": "calm", "to": {"target": "sightline", "load": "peak"}}],
            "a threshold has either at_least or at_most",
        ),
    ],
)
def test_a_wrong_scenario_is_refused_with_the_place(tmp_path: Path, place: str, value: object, says: str) -> None:
    (tmp_path / "wrong.yaml").write_text(yaml.safe_dump(yaml.safe_load(SMALL) | {place: value}, sort_keys=False))
    with pytest.raises(ScenarioError, match=r"wrong\.yaml: ") as raised:
        read_scenario(tmp_path / "wrong.yaml")
    assert says in str(raised.value)


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text(SMALL + "rounds: 2\nrounds: 3\n")
    with pytest.raises(ScenarioError, match=r"wrong\.yaml is no YAML: key 'rounds' stands twice\n.* line 11"):
        read_scenario(tmp_path / "wrong.yaml")


def test_a_merged_key_may_be_said_anew(tmp_path: Path) -> None:
    text = SMALL.replace("peak: {", "peak: &peak {").replace(
        "thresholds:", "  more: {<<: *peak, clients: 3}\nthresholds:"
    )
    (tmp_path / "small.yaml").write_text(text)
    assert read_scenario(tmp_path / "small.yaml").loads["more"].clients == 3


def test_a_scenario_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_bytes(b"about: \xff")
    with pytest.raises(ScenarioError, match=r"wrong\.yaml is no text: byte 7 is no UTF-8"):
        read_scenario(tmp_path / "wrong.yaml")


@pytest.mark.parametrize("text", ["", "a: [", "- 1"])
def test_what_is_no_scenario_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "wrong.yaml").write_text(text)
    with pytest.raises(ScenarioError, match=r"wrong\.yaml"):
        read_scenario(tmp_path / "wrong.yaml")


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(ScenarioError, match="churn, detect, empty"):
        find_scenario("everything")


def test_the_example_of_the_documentation_is_a_scenario(tmp_path: Path) -> None:
    text = (SCENARIO_DIRECTORY.parents[1] / "docs" / "load-testing.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "example.yaml").write_text(example)
    assert list(read_scenario(tmp_path / "example.yaml").loads) == ["peak", "usual", "twice"]
