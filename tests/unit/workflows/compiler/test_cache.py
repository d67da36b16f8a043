import threading

import pytest

from tests.unit.workflows.sample_blocks import BLOCKS, batch, document, step
from workflows.compiler.cache import PlanCache
from workflows.compiler.compile import CompileLimits
from workflows.errors import WorkflowSyntaxError


def definition(number=1):
    return document([batch("n")], [step("Add", "s", left="$inputs.n", right=number)])


def test_equal_documents_share_a_plan():
    cache = PlanCache(blocks=BLOCKS)
    assert cache.get(definition()) is cache.get(definition())
    assert cache.get(definition(2)) is not cache.get(definition())


def test_a_worker_finds_the_plan_by_its_fingerprint_and_compiles_it_once():
    plan = PlanCache(blocks=BLOCKS).get(definition())
    worker = PlanCache(blocks=BLOCKS)
    first = worker.get_by_json(plan.fingerprint, plan.definition_json)
    assert first.fingerprint == plan.fingerprint
    assert worker.get_by_json(plan.fingerprint, b"not read again") is first
    assert worker.get(definition()) is first


def test_large_definitions_make_room_for_one_another():
    size = len(PlanCache(blocks=BLOCKS).get(definition()).definition_json)
    cache = PlanCache(blocks=BLOCKS, capacity_bytes=2 * size + 1)
    for number in (1, 2, 3, 1, 1):
        cache.get(definition(number))
    assert len(cache) == 2


def test_a_definition_larger_than_all_room_runs_and_is_not_kept():
    cache = PlanCache(blocks=BLOCKS, capacity_bytes=10)
    assert cache.get(definition()).steps.keys() == {"s"}
    assert len(cache) == 0


def test_the_plan_used_longest_ago_is_forgotten():
    cache = PlanCache(capacity=2, blocks=BLOCKS)
    first = cache.get(definition(1))
    second = cache.get(definition(2))
    assert cache.get(definition(1)) is first
    cache.get(definition(3))
    assert len(cache) == 2
    assert cache.get(definition(1)) is first
    assert cache.get(definition(2)) is not second


def test_a_document_that_does_not_compile_is_not_kept():
    cache = PlanCache(limits=CompileLimits(max_steps=0), blocks=BLOCKS)
    for _ in range(2):
        with pytest.raises(WorkflowSyntaxError):
            cache.get(definition())
    assert len(cache) == 0


def test_threads_may_ask_at_the_same_time():
    cache = PlanCache(capacity=3, blocks=BLOCKS)
    failed = []

    def ask(start):
        for index in range(30):
            number = (start + index) % 5
            if cache.get(definition(number)).steps["s"].literals["right"] != number:
                failed.append(number)

    threads = [threading.Thread(target=ask, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(cache) == 3
