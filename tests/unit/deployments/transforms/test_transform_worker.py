"""The worker's own part of a call, without the replica around it."""

from __future__ import annotations

import time

from deployments.dataplane.messages import CallAnswer, StageCall, StageDone
from deployments.transforms.transform_worker import TransformWorker
from tests.unit.workflows.sample_blocks import batch, compiled, step
from workflows.errors import DeadlineExceededError
from workflows.executor.dispatcher import Column, StageUnit

PLAN = compiled([batch("n")], [step("DoubleThere", "d", number="$inputs.n")], d="$steps.d.result")


class Plans:
    def get_by_json(self, fingerprint, definition_json):
        return PLAN


class Late:
    """A thread whose turn came so late that it does not know yet whose time is over."""

    async def run(self, deadlines_unix_s, compute):
        return CallAnswer(results=compute([0, 2]), replica_id="r", compute_ms=1.0)


async def test_each_unit_that_is_begun_has_its_own_deadline():
    worker = object.__new__(TransformWorker)
    worker._plans, worker._thread = Plans(), Late()
    column = Column(lineage=("$inputs",), values={(0,): 1.5})
    now_s = time.time()
    call = StageCall(
        fingerprint=PLAN.fingerprint,
        definition_json=PLAN.definition_json,
        stage_index=0,
        units=(StageUnit(columns={"$inputs.n": column, "$inputs": column}),) * 3,
        deadlines_unix_s=(now_s + 60, now_s + 60, now_s - 1),
    )
    done, over = (await worker.run_stage(call)).results
    assert isinstance(done, StageDone)
    assert done.columns["$steps.d.result"].values == {(0,): 3.0}
    assert isinstance(over, DeadlineExceededError)
