from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from ray.serve.config import RequestRouterConfig

from deployments.dataplane.messages import LoadCall, PredictCall, ReadCall
from deployments.router.replica_choice import suitable_replicas
from deployments.router.replica_contents import ReplicaContents
from deployments.router.replicas_seen import CHOICE_S, LOST_S, CallsOfReplicas, ReplicasSeen

ROOT = Path(__file__).resolve().parents[4]
WORK = PredictCall(model_id="m/1", questions=(), deadlines_unix_s=(), may_load=False)
READING = ReadCall(model_id="m/1", images=(), deadlines_unix_s=())
LOAD = LoadCall(model_id="m/1")


def contents(**models: list[str]) -> ReplicaContents:
    known = ReplicaContents()
    for replica_id, model_ids in models.items():
        known.learn(replica_id, model_ids)
    return known


@pytest.mark.parametrize("call", [WORK, READING])
def test_work_goes_to_replicas_that_have_the_model(call):
    known = contents(a=["m/1"], b=["x/1"], c=["m/1", "x/1"])
    assert suitable_replicas(call, ["a", "b", "c"], known) == ["a", "c"]


def test_a_replica_that_has_not_answered_yet_may_have_it():
    assert suitable_replicas(WORK, ["a", "b", "new"], contents(a=["m/1"], b=[])) == ["a", "new"]


def test_work_for_a_model_that_nobody_has_goes_where_the_fewest_are():
    known = contents(a=["x/1", "x/2"], b=["x/1"], c=["x/2"])
    assert suitable_replicas(READING, ["a", "b", "c"], known) == ["b", "c"]
    assert suitable_replicas(READING, ["a", "b", "c", "new"], known) == ["new"]


def test_a_load_goes_to_a_replica_that_lacks_the_model():
    known = contents(a=["m/1"], b=["x/1"], c=["x/1", "x/2"])
    assert suitable_replicas(LOAD, ["a", "b", "c"], known) == ["b"]


def test_a_load_of_what_all_have_goes_anywhere():
    assert suitable_replicas(LOAD, ["a", "b"], contents(a=["m/1"], b=["m/1"])) == ["a", "b"]


def test_a_replica_that_is_gone_is_not_waited_for():
    known = contents(dead=["m/1"], a=["x/1"])
    assert suitable_replicas(WORK, ["a"], known) == ["a"]
    assert known.holders("m/1") == frozenset()


def test_what_is_known_of_a_replica_is_what_it_said_last():
    known = contents(a=["m/1", "x/1"])
    known.learn("a", ["x/1"])
    assert (known.holders("m/1"), known.holders("x/1"), known.count("a")) == (frozenset(), {"a"}, 1)
    known.forget(["a", "never seen"])
    assert (known.is_known("a"), known.count("a")) == (False, 0)


def test_a_call_goes_to_the_replica_with_the_fewest_and_then_to_the_one_that_got_none_longest():
    calls = CallsOfReplicas()
    for replica_id in ("b", "a", "c"):
        calls.began(replica_id)
    assert calls.in_order(["a", "b", "c", "new"], 0.0) == ["new", "b", "a", "c"]
    calls.began("b")
    calls.ended("c")
    assert calls.in_order(["a", "b", "c"], 0.0) == ["c", "a", "b"]


def test_calls_that_choose_before_any_of_them_is_sent_choose_different_replicas():
    calls = CallsOfReplicas()
    calls.began("a")
    chosen = []
    for _ in range(3):
        chosen.append(calls.in_order(["a", "b", "c"], 7.0)[0])
        calls.chosen(chosen[-1], 7.0)
    assert chosen == ["b", "c", "a"]


def test_a_choice_counts_once_when_its_call_is_sent_and_for_a_while_when_it_never_is():
    calls = CallsOfReplicas()
    calls.chosen("a", 7.0)
    calls.began("a")
    calls.ended("a")
    calls.chosen("b", 7.0)
    assert calls.in_order(["b", "a"], 7.5) == ["a", "b"]
    calls.began("a")
    assert calls.in_order(["b", "a"], 7.5 + CHOICE_S) == ["b", "a"]


def test_calls_of_a_replica_that_is_gone_are_forgotten_even_when_they_end_later():
    calls = CallsOfReplicas()
    for replica_id in ("a", "b", "b"):
        calls.began(replica_id)
    calls.keep({"a"})
    calls.ended("b")
    assert calls.in_order(["a", "b"], 0.0) == ["b", "a"]


def test_a_replica_that_was_lost_gets_no_calls_for_a_while_unless_it_is_known_to_be_gone():
    calls = CallsOfReplicas()
    calls.lost("a", 7.0)
    assert calls.in_order(["a", "b"], 7.0 + LOST_S / 2) == ["b"]
    assert calls.in_order(["a"], 7.0 + LOST_S / 2) == []
    assert calls.in_order(["a", "b"], 7.0 + LOST_S) == ["a", "b"]
    calls.keep({"b"})
    assert calls.in_order(["a"], 7.0) == ["a"]


def test_replicas_seen_are_those_that_serve_told_of_last():
    seen = ReplicasSeen()
    assert seen.first("any", 0.0) is None
    seen.take({"b": "n", "a": "n", "c": "n"}, lambda call, replica_ids: [key for key in replica_ids if key != call])
    assert (seen.first("none", 0.0), seen.first("a", 0.0)) == ("a", "b")
    seen.take({"c": "n"}, lambda call, replica_ids: [])
    assert seen.first("any", 0.0) is None


IN_ANOTHER_PROCESS = """
import pickle, sys
carried = pickle.load(sys.stdin.buffer)
from deployments.router.replica_choice import ModelAffinityRouter
from deployments.router.replica_contents import contents_seen_here
assert carried is not ModelAffinityRouter
contents_seen_here().learn("a", ["m/1"])
print(sorted(carried.choose_replicas.__globals__["contents_seen_here"]().holders("m/1")))
"""


def test_the_class_that_serve_carries_over_by_value_reads_what_its_process_knows():
    config = RequestRouterConfig(request_router_class="deployments.router.replica_choice.ModelAffinityRouter")
    ran = subprocess.run(
        [sys.executable, "-c", IN_ANOTHER_PROCESS],
        input=config.get_serialized_request_router_cls(),
        capture_output=True,
        check=False,
        cwd=ROOT,
    )
    assert ran.stdout == b"['a']\n", ran.stderr.decode()
