from __future__ import annotations

import math

import pytest

from deployments.settings import CoalescingLimits
from load_tests.aims.aim import (
    AIMS,
    Aim,
    added_latency,
    compute_share,
    figure,
    filled,
    measured,
    ratio,
    reading_share,
    rest_ms,
)
from load_tests.aims.rounds import GROUPS, GroupRound, scenario_of
from load_tests.parts import Parts
from load_tests.results import Batches, Run, Side
from tests.unit.load_tests.test_progress import result_of
from tests.unit.load_tests.test_results import run

PARTS = Parts(
    cpu_ms={"decode": 4.0, "inference": 66.0}, wall_ms={"decode": 4.0, "inference": 76.0}, crops=16, crops_rps=80
)
ONE_CALL = Batches(calls=1, items=1)
NOTHING = GroupRound(result=result_of())


def ours(load: str, **changed: object) -> Run:
    return run(Side(target="sightline", load=load), 0, **changed)


def theirs(load: str, **changed: object) -> Run:
    return run(Side(target="peer", load=load), 0, **changed)


def test_what_is_not_the_work_itself_is_rest() -> None:
    each = GroupRound(result=result_of(ours("peak", cpu_ms={"TextReader": 60.0, "raylet": 40.0})), parts=PARTS)
    assert compute_share(each) == pytest.approx(0.7)
    assert rest_ms(each) == pytest.approx(30)


def test_the_latency_of_one_client_is_told_in_multiples_of_the_work() -> None:
    each = GroupRound(result=result_of(ours("one_client")), parts=PARTS)  # p50 of 1 ms
    assert added_latency(each) == pytest.approx(1 / 80)


def test_reading_is_compared_by_crops() -> None:
    each = GroupRound(result=result_of(ours("crops_peak", throughput_rps=4.5)), parts=PARTS)
    assert reading_share(each) == pytest.approx(4.5 * 16 / 80)


def test_calls_are_filled_by_what_they_may_carry() -> None:
    each = GroupRound(result=result_of(ours("ragged_peak", batches={"text_reader": {"calls": 10, "items": 240}})))
    assert filled("text_reader", CoalescingLimits(max_batch_items=32), "ragged_peak")(each) == pytest.approx(0.75)
    assert filled("object_detector", CoalescingLimits(max_batch_items=8), "ragged_peak")(each) is None


def test_a_ratio_is_of_ours_to_theirs() -> None:
    each = GroupRound(result=result_of(ours("peak", throughput_rps=9), theirs("peak", throughput_rps=3)))
    assert ratio("throughput_rps", "peak", "peer")(each) == pytest.approx(3)
    still = GroupRound(result=result_of(ours("churned", throughput_rps=3), ours("still", throughput_rps=4)))
    assert ratio("throughput_rps", "churned", "sightline", "still")(still) == pytest.approx(0.75)
    silent = GroupRound(result=result_of(ours("peak"), theirs("peak", throughput_rps=0)))
    assert ratio("throughput_rps", "peak", "peer")(silent) is None


def test_who_gives_no_good_answer_misses_an_aim_of_latency() -> None:
    churn = ratio("p99_ms", "churned", "sightline", "still")
    assert churn(GroupRound(result=result_of(ours("churned", good=0), ours("still")))) == math.inf
    assert churn(GroupRound(result=result_of(ours("churned"), ours("still", good=0)))) is None
    assert added_latency(GroupRound(result=result_of(ours("one_client", good=0)), parts=PARTS)) == math.inf


def test_refusals_are_told_where_there_were_any() -> None:
    refused = figure("refusal_p99_ms", "overload")
    assert refused(GroupRound(result=result_of(ours("overload")))) == 3
    none = ours("overload").refusals.model_copy(update={"count": 0})
    assert refused(GroupRound(result=result_of(ours("overload", refusals=none)))) is None


def test_no_aim_is_told_of_a_round_without_its_runs() -> None:
    assert [aim.value(NOTHING) for aim in AIMS] == [None] * len(AIMS)


@pytest.mark.parametrize(
    ("limits", "values", "held"),
    [
        ({"at_least": 0.85}, (0.8, 0.9, 0.85), True),
        ({"at_least": 0.85}, (0.8, 0.84, 0.9), False),
        ({"at_most": 3.0}, (9.0, 3.0, 2.0), True),
        ({"at_most": 3.0}, (9.0, 3.1, 2.0), False),
        ({"at_most": 3.0}, (), None),
    ],
)
def test_the_median_of_the_rounds_decides(
    limits: dict[str, float], values: tuple[float, ...], held: bool | None
) -> None:
    left = iter(values)
    told = measured(Aim(says="a", group="plates", value=lambda _: next(left), **limits), [NOTHING] * len(values))
    assert told.values == values
    assert told.held is held


def test_every_aim_is_measured_with_loads_that_its_group_runs() -> None:
    for name, group in GROUPS.items():
        scenario = scenario_of(group)
        assert scenario.rounds == 1
        reported = [load for load, each in scenario.loads.items() if not each.background]
        told = {"cpu_ms": {"a": 1.0}, "batches": dict.fromkeys(("text_reader", "object_detector"), ONE_CALL)}
        runs = [run(Side(target=target, load=load), 0, **told) for target in scenario.targets for load in reported]
        each = GroupRound(result=result_of(*runs), parts=PARTS if group.parts else None)
        of_group = [aim for aim in AIMS if aim.group == name]
        assert of_group
        assert [aim.says for aim in of_group if aim.value(each) is None] == []
