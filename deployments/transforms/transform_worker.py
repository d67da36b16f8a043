"""The Serve deployment that works on pixels and boxes: offset, crop, and any other block without a model."""

from __future__ import annotations

import importlib
import threading

import ray
from ray import serve

from deployments.dataplane.compute import run_stage_units
from deployments.dataplane.computing import ComputeThread
from deployments.dataplane.messages import CallAnswer, StageCall, StageDone
from deployments.dataplane.replica_sockets import DirectlyCalled
from deployments.observability.ray_export import export_to_ray
from deployments.observability.replica_logs import log_to_directory
from deployments.settings import ClusterArgs
from workflows.compiler.cache import PlanCache
from workflows.compiler.compile import CompileLimits


class TransformWorker(DirectlyCalled):
    """Runs stages of plans, several requests' units in one call; the steps of a stage are one hop together."""

    def __init__(self, args: ClusterArgs) -> None:
        replica_id = serve.get_replica_context().replica_id.unique_id
        log_to_directory(args.log_dir, "transform-worker", replica_id, ray.get_gpu_ids())
        export_to_ray()
        self._plans = PlanCache(limits=CompileLimits(max_steps=args.ingress.max_steps))
        self._thread = ComputeThread("transforms", replica_id)
        self.listen(replica_id, self.run_stage)
        # What draws takes seconds to import: soon, but not before the replica answers, and not in the first drawing.
        threading.Thread(target=importlib.import_module, args=("supervision",), daemon=True).start()

    async def run_stage(self, call: StageCall) -> CallAnswer[StageDone]:
        """What the stage gives for each unit of the call."""

        def compute(live: list[int]) -> list[StageDone | Exception]:
            plan = self._plans.get_by_json(call.fingerprint, call.definition_json)
            units = [call.units[at] for at in live]
            deadlines_unix_s = [call.deadlines_unix_s[at] for at in live]
            return run_stage_units(plan, plan.stages[call.stage_index], units, deadlines_unix_s, to_travel=True)

        return await self._thread.run(call.deadlines_unix_s, compute)

    def check_health(self) -> None:
        """Fail when a computation does not end."""
        self._thread.check()
