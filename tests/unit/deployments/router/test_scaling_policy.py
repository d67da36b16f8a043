"""Serve's controller asks; what it hands over is made of the few fields that are read."""

from __future__ import annotations

import time
from types import SimpleNamespace

from ray.serve.autoscaling_policy import _apply_app_level_autoscaling_config
from ray.serve.config import AutoscalingConfig

from deployments.router.scaling_policy import QueueingTimePolicy, look_at, signals_of


def series(value: float, age_s: float = 0.1) -> list[SimpleNamespace]:
    now_s = time.time()
    return [
        SimpleNamespace(timestamp=now_s - age_s - 1, value=-1.0),
        SimpleNamespace(timestamp=now_s - age_s, value=value),
    ]


def told(name: str, *, wait_s: float = 0.0, pending: float = 1.0, busy_s: float = 0.0) -> dict[str, float]:
    signals = {"wait_s": wait_s, "item_s": 0.05, "busy_s": busy_s, "pending": pending, "refused": 0.0}
    return {f"{name}|{key}": value for key, value in signals.items()}


def context(name: str, *, running: int = 1, wanted: int = 1, least: int = 1, most: int = 4, metrics=None):
    return SimpleNamespace(
        deployment_name=name,
        current_num_replicas=running,
        target_num_replicas=wanted,
        capacity_adjusted_min_replicas=least,
        capacity_adjusted_max_replicas=most,
        raw_metrics=metrics,
    )


def contexts(signals: dict[str, float], **detector):
    raw = {name: {"router-1": series(value)} for name, value in signals.items()}
    return {"r": context("WorkflowRouter", metrics=raw), "d": context("ObjectDetector", **detector)}


def test_nothing_is_decided_before_a_router_has_said_anything():
    policy = QueueingTimePolicy()
    assert policy({}) == ({}, {})
    assert policy({"r": context("WorkflowRouter"), "d": context("ObjectDetector")}) == ({}, {})
    assert policy({"d": context("ObjectDetector")}) == ({}, {})


def test_signals_that_are_old_say_nothing():
    raw = {"a": {"router-1": series(1.0, age_s=6), "router-2": series(2.0)}, "b": {"router-2": []}}
    assert signals_of(raw, time.time()) == [{"a": 2.0}]


def test_a_deployment_is_seen_by_all_routers_together():
    one = told("d", wait_s=0.2, pending=3, busy_s=5.0) | {"idle_cores": 1.5}
    other = told("d", wait_s=0.4, pending=4, busy_s=2.0)
    look = look_at("d", [one, other, {"idle_cores": 0.0}], 9.0, running=2, wanted=3)
    assert look is not None
    assert (look.wait_s, look.pending, look.busy_s, look.idle_cores) == (0.4, 7, 7.0, 1.5)
    assert (look.now_s, look.running, look.wanted) == (9.0, 2, 3)
    assert look_at("another", [one], 9.0, running=1, wanted=1) is None


def test_waiting_work_brings_a_replica_within_the_bounds():
    policy = QueueingTimePolicy()
    signals = told("ObjectDetector", wait_s=0.5) | told("WorkflowRouter")
    assert policy(contexts(signals))[0] == {"d": 1, "r": 1}
    time.sleep(0.3)
    assert policy(contexts(signals))[0]["d"] == 2
    bounded = QueueingTimePolicy()
    bounded(contexts(signals, most=1))
    time.sleep(0.3)
    assert bounded(contexts(signals, most=1))[0]["d"] == 1


def test_none_where_none_are_asked_for_and_the_bounds_allow_it():
    policy = QueueingTimePolicy()
    idle, asked = told("ObjectDetector", pending=0), told("ObjectDetector", pending=1)
    assert policy(contexts(idle, least=0))[0]["d"] == 0
    assert policy(contexts(idle, least=1))[0]["d"] == 1
    assert policy(contexts(asked, running=0, wanted=0, least=0))[0]["d"] == 1


def test_serve_takes_one_replica_after_the_other_away_when_none_has_work(monkeypatch):
    """Serve's own delay has to see the same decision at every look; 60 s of ours come before 60 s of its own."""
    now_s = 1_000_000.0
    monkeypatch.setattr(time, "time", lambda: now_s)
    decide = _apply_app_level_autoscaling_config(QueueingTimePolicy().__call__)
    config = AutoscalingConfig(min_replicas=1, max_replicas=4, upscale_delay_s=0, downscale_delay_s=60)
    wanted, states, changes = {"r": 1, "d": 3}, {}, []
    for half_second in range(600):
        now_s += 0.5
        seen = contexts(told("ObjectDetector", pending=0) | told("WorkflowRouter"))
        for name, each in seen.items():
            each.current_num_replicas = each.target_num_replicas = wanted[name]
            each.policy_state, each.total_num_requests, each.config = states.get(name, {}), 0, config
        decisions, states = decide(seen)
        changes += [(half_second / 2, name, count) for name, count in decisions.items() if count != wanted[name]]
        wanted |= decisions
    assert [(name, count) for _, name, count in changes] == [("d", 2), ("d", 1)]
    assert [round(at) for at, _, _ in changes] == [120, 240]
