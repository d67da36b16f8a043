"""How much the crops of a request may take: a few boxes as large as their image are many times its size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from workflows.compiler.plan import StepPlan
from workflows.errors import RuntimeLimitsCausedStepExecutionError
from workflows.executor.failures import failure_of
from workflows.values.image import Image


class CroppedPixels:
    """The pixels of all crops of one request, or of one unit of its work, counted as they are made.

    Args:
        most: how many there may be; None for any number.
    """

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._count = 0

    def add(self, step: StepPlan, values: Iterable[Any]) -> None:
        """Count those of `values` that are images.

        Raises:
            RuntimeLimitsCausedStepExecutionError: there are more pixels than there may be.
        """
        self._count += sum(value.size_px for value in values if isinstance(value, Image))
        if self._most is not None and self._count > self._most:
            error = RuntimeLimitsCausedStepExecutionError(
                f"with those of step {step.name!r} the crops of this request have {self._count} pixels together; at "
                f"most {self._most} are allowed: filter the detections, or send fewer or smaller images"
            )
            raise failure_of(step, error)

    def add_result(self, step: StepPlan, result: Any) -> None:
        """Count what a step made of one element, if it is one that cuts; whether it may answer that is not asked here.

        Raises:
            RuntimeLimitsCausedStepExecutionError: there are more pixels than there may be.
        """
        if step.block.output_offset == 1 and isinstance(result, list | tuple):
            self.add(step, (value for item in result if isinstance(item, Mapping) for value in item.values()))
