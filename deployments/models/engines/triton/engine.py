"""The engine whose networks run on a Triton server."""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tritonclient.utils import InferenceServerException

from deployments.models.engines.engine import TensorSpec
from deployments.models.engines.tensor_types import at_the_seam
from deployments.models.engines.triton.background_loop import background_loop
from deployments.models.engines.triton.connection import ForgottenRegionError, TritonConnection
from deployments.models.engines.triton.run_layout import RunLayout, part_bounds
from deployments.models.engines.triton.shared_regions import RegionPool, SharedRegion
from deployments.models.engines.turn import waiting
from deployments.models.errors import ModelError
from deployments.models.package_layouts.contents import TritonModel
from workflows.errors import DeadlineExceededError
from workflows.executor.together import together
from workflows.values.time_left import remaining_s

logger = logging.getLogger(__name__)

LOOPBACK_HOSTS = ("localhost:", "127.", "[::1]:")
ABANDONED_S = 30.0
"""How long Triton may still work on a run that was given up; unmapping what it writes to would crash it."""


class TritonEngine:
    """One model on a Triton server.

    A batch travels as Triton takes it: in parts of its largest batch, or every element alone when Triton is to form the
    batches; all parts are under way at once. The server may go away and come back: runs fail meanwhile, and only they.

    Raises:
        ModelUnavailableError: the server is away, or has no such model.
        ModelLoadError: the model has tensors of a type that is not served.
    """

    def __init__(self, model_id: str, model: TritonModel) -> None:
        self._model_id = model_id
        self._model = model
        connection = TritonConnection(model_id, model)
        self._connection = connection
        local = model.address.startswith(LOOPBACK_HOSTS)
        self._shares_memory = local and model.shared_memory == "auto"
        self._regions = RegionPool()
        self._end = weakref.finalize(self, _hang_up, connection, self._regions)
        described = background_loop().run(connection.describe())
        self._inputs, self._outputs = described.inputs, described.outputs
        self._max_batch_size = described.max_batch_size
        logger.info(
            "model found on Triton",
            extra={
                "model_id": model_id,
                "address": model.address,
                "triton_model": model.model_name,
                "max_batch_size": described.max_batch_size,
                "batching": model.batching,
                "shared_memory": self._shares_memory,
            },
        )

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """What `run` must be fed."""
        return tuple(spec.at_the_seam() for spec in self._inputs)

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """What `run` gives back."""
        return tuple(spec.at_the_seam() for spec in self._outputs)

    @property
    def device(self) -> str:
        """Where it runs."""
        return "triton"

    def close(self) -> None:
        """Hang up and give the shared memory back; done by itself when nobody uses the engine any more."""
        self._end()

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Every output by its name.

        Raises:
            DeadlineExceededError: the time of the running call was over first.
            ModelUnavailableError: the server is away.
            ModelError: it failed.
        """
        timeout_s = remaining_s(self._model.timeout_s)
        if timeout_s == 0:
            raise DeadlineExceededError("the request's time was over before Triton was asked")
        ready = {spec.name: np.ascontiguousarray(feeds[spec.name], dtype=spec.dtype) for spec in self._inputs}
        layout = RunLayout(ready, self._outputs, batched=self._max_batch_size > 0)
        region = self._region_for(layout)
        if region is None:
            with waiting():
                answers = background_loop().run(self._infer(layout, None, timeout_s))
            return self._gathered(layout, None, answers)
        try:
            layout.write(region)
            with waiting():
                answers = background_loop().run(self._infer_again_if_forgotten(layout, region, timeout_s))
            outputs = self._gathered(layout, region if region.registered else None, answers)
        except BaseException:
            region.unlink()
            background_loop().start(_let_go(self._connection, self._regions, region))
            raise
        self._regions.release(region)
        return outputs

    def _region_for(self, layout: RunLayout) -> SharedRegion | None:
        if not self._shares_memory:
            return None
        try:
            region, outgrown = self._regions.acquire(layout.size_bytes)
        except OSError as error:
            self._share_no_memory(str(error))
            return None
        if outgrown is not None and outgrown.registered:
            background_loop().start(self._connection.unregister(outgrown.name))
        return region

    def _share_no_memory(self, reason: str) -> None:
        logger.warning(
            "no shared memory with Triton, tensors travel in messages; triton.shared_memory: off says so at once",
            extra={"model_id": self._model_id, "address": self._model.address, "reason": reason},
        )
        self._shares_memory = False

    async def _infer_again_if_forgotten(self, layout: RunLayout, region: SharedRegion, timeout_s: float) -> list[Any]:
        """Run over a region, shown to the server again when that was started anew since."""
        for last_try in (False, True):
            if not region.registered and not await self._registered(region):
                return await self._infer(layout, None, timeout_s)
            try:
                return await self._infer(layout, region, timeout_s)
            except ForgottenRegionError as error:
                region.registered = False
                if last_try:
                    raise ModelError(f"Triton at {self._model.address} forgets shared memory: {error}") from error
        raise AssertionError("the last try returns or raises")

    async def _registered(self, region: SharedRegion) -> bool:
        try:
            await self._connection.register(region.name, region.size_bytes)
        except InferenceServerException as error:
            if str(error.status()) not in ("StatusCode.UNAVAILABLE", "StatusCode.DEADLINE_EXCEEDED"):
                self._share_no_memory(str(error.message()))
            return False
        region.registered = True
        return True

    async def _infer(self, layout: RunLayout, region: SharedRegion | None, timeout_s: float) -> list[Any]:
        """The answer to each part."""
        largest = 1 if self._model.batching == "triton" else self._max_batch_size
        deadline_over = timeout_s < self._model.timeout_s
        return await together(
            [
                self._connection.infer(
                    layout.inputs(start, end, region),
                    layout.requested(start, end, region),
                    timeout_s,
                    deadline_over=deadline_over,
                )
                for start, end in part_bounds(layout.batch_size, largest)
            ]
        )

    def _gathered(self, layout: RunLayout, region: SharedRegion | None, answers: list[Any]) -> dict[str, NDArray[Any]]:
        outputs = {}
        for spec in self._outputs:
            output = layout.output_in(region, spec) if region is not None else None
            if output is None:
                parts = [answer.as_numpy(spec.name) for answer in answers]
                output = parts[0] if len(parts) == 1 else np.concatenate(parts)
            outputs[spec.name] = output.astype(at_the_seam(spec.dtype), copy=False)
        return outputs


async def _let_go(connection: TritonConnection, regions: RegionPool, region: SharedRegion) -> None:
    """Have the server let go of an abandoned region, once it surely writes there no more."""
    if region.registered:
        await asyncio.sleep(ABANDONED_S)
        await connection.unregister(region.name)
    regions.free_place()


def _hang_up(connection: TritonConnection, regions: RegionPool) -> None:
    """Unlink regions here, and have the server let go of them. Waits for nothing: it may run on the loop itself."""
    idle = regions.close()

    async def end() -> None:
        for region in idle:
            if region.registered:
                await connection.unregister(region.name)
        await connection.close()

    background_loop().start(end())
