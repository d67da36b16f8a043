"""Whether the thresholds of a scenario held. What was not measured does not hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from load_tests.results import UNSEEN, Outcome, Run, Side, ratio_of, why_unknown
from load_tests.scenario import OURS, Scenario, Threshold


def outcomes_of(scenario: Scenario, runs: Sequence[Run], left_out: Mapping[str, str]) -> tuple[Outcome, ...]:
    """Every threshold, by the median of its rounds.

    Args:
        scenario: what was wanted.
        runs: what was measured.
        left_out: targets that could not be run.
    """
    run = [target for target in scenario.targets if target not in left_out]
    return tuple(_outcome(threshold, run, runs) for threshold in scenario.thresholds)


def _outcome(threshold: Threshold, targets: Sequence[str], runs: Sequence[Run]) -> Outcome:
    of, to, says = Side(target=OURS, load=threshold.of), threshold.to, threshold.says()
    for side in (of, to):
        if side is not None and side.target not in targets:
            return Outcome(says=says, ratio=None, held=None, left_out=True, why=f"{side.target} was not run")
    ours = [why_unknown(run, threshold.metric) for run in _of(runs, of)] or ["it was not run"]
    if UNSEEN in ours:
        return Outcome(says=says, ratio=None, held=None, why=f"{UNSEEN}; --pid names them")
    if reasons := [why for why in ours if why]:
        return Outcome(says=says, ratio=None, held=False, why=f"{threshold.of}: {reasons[0]}")
    ratio = ratio_of(runs, threshold.metric, of, to)
    if ratio is None:
        theirs = [why_unknown(run, threshold.metric) for run in _of(runs, to)] if to else []
        why = next((why for why in theirs if why), "it was not run in the same round")
        return Outcome(says=says, ratio=None, held=None, why=f"{to.target}: {to.load}: {why}" if to else why)
    return Outcome(says=says, ratio=ratio, held=threshold.holds(ratio.median))


def _of(runs: Sequence[Run], side: Side) -> list[Run]:
    return [run for run in runs if (run.target, run.load) == (side.target, side.load)]
