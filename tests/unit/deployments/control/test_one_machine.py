"""What the control plane asks of Ray Serve, and what it makes of the answer; Serve itself is in tests/cluster."""

from __future__ import annotations

from collections import Counter

import pytest

from deployments.control.one_machine import ApplicationState, OneMachine
from deployments.control.platform import Phase
from deployments.control.serve_application import application_name

GROWTH = {"autoscaling_config": {"min_replicas": 1, "max_replicas": 3}}
REVISION = "01234567"
PLATES = application_name("plates", REVISION)
CONFIG = {"route_prefix": f"/@{PLATES}", "deployments": [{"name": name, **GROWTH} for name in ("Router", "Detector")]}


class Serve:
    """Counts what it is asked."""

    def __init__(self, states: dict[str, ApplicationState]) -> None:
        self.states_by_name = states
        self.asked: Counter[str] = Counter()

    def applications(self):
        self.asked["applications"] += 1
        return {}

    def apply(self, applications) -> None:
        self.asked["apply"] += 1

    def states(self):
        self.asked["states"] += 1
        return self.states_by_name

    def machines(self):
        self.asked["machines"] += 1
        return []


def state(status="RUNNING", config=CONFIG, **running):
    return ApplicationState(status=status, message="", running={"Router": 1, "Detector": 2} | running, config=config)


def test_a_look_asks_serve_once():
    """Twice a second while there is any endpoint: every call costs the controller time as well."""
    serve = Serve({PLATES: state(), "other": state()})
    assert set(OneMachine(serve, lambda _: True).observe()) == {"plates"}
    assert serve.asked == {"states": 1}


@pytest.mark.parametrize(
    ("told", "phase", "num_replicas"),
    [
        (state(), Phase.READY, 1),  # as many as of the deployment that has fewest
        (state(Router=2), Phase.READY, 2),
        (state(Detector=0), Phase.STARTING, 0),
        (state("DEPLOYING", Router=0, Detector=0), Phase.STARTING, 0),
        (state("DEPLOY_FAILED"), Phase.FAILED, 1),
        (state("DELETING", config=None), Phase.STOPPING, 0),
    ],
)
def test_what_serve_says_of_a_revision(told, phase, num_replicas):
    found = OneMachine(Serve({PLATES: told}), lambda _: True).observe()["plates"].revisions[REVISION]
    assert (found.phase, found.num_replicas) == (phase, num_replicas)


def test_what_answered_a_warm_up_stays_ready_though_it_loses_its_replicas():
    serve = Serve({PLATES: state()})
    platform = OneMachine(serve, lambda _: True)
    platform.observe()
    serve.states_by_name[PLATES] = state("UNHEALTHY", Router=0)
    assert platform.observe()["plates"].revisions[REVISION].phase is Phase.READY
