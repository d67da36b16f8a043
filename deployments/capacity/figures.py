"""How long models take: read from files, as `sightline models check --json` writes them or as a person does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from deployments.errors import InvalidRequestError
from deployments.models.service_times import ServiceTimes
from deployments.models.timing import ON_CPU

DEVICES = (ON_CPU, "cuda", "triton", "emulated")
EXAMPLE = '{"plates/2": {"fixed_ms": 8, "per_item_ms": 1.5, "max_batch_items": 8, "device": "cuda"}}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How long one model takes.

    Attributes:
        times: by batch size.
        max_batch_items: largest batch that its package allows; None when it does not say.
        device: where that was: `cpu`, `cuda`, `triton`, `emulated`.
        measured: what of a replica's work is in it, in words.
    """

    times: ServiceTimes
    max_batch_items: int | None
    device: str
    measured: str


class WrittenFigures(BaseModel):
    """One model in a file that a person wrote: a line, or times of whole batches."""

    model_config = ConfigDict(extra="forbid")

    fixed_ms: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    per_item_ms: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    ms_by_batch: dict[int, float] | None = None
    max_batch_items: Annotated[int, Field(gt=0)] | None = None
    device: str = ON_CPU

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        line = self.fixed_ms is not None and self.per_item_ms is not None
        if line == (self.ms_by_batch is not None):
            raise ValueError("give fixed_ms and per_item_ms, or ms_by_batch")
        return self

    def times(self) -> ServiceTimes:
        """By batch size."""
        if self.ms_by_batch is not None:
            return ServiceTimes(ms_by_batch=self.ms_by_batch)
        assert self.fixed_ms is not None  # seen to when it was read
        assert self.per_item_ms is not None
        return ServiceTimes.line(self.fixed_ms, self.per_item_ms)


def read_figures(path: Path) -> dict[str, Figures]:
    """Figures by model id.

    Raises:
        InvalidRequestError: there is no such file, or it holds something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidRequestError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise InvalidRequestError(f"{path} is no JSON: {error}") from error
    if not isinstance(content, dict):
        raise InvalidRequestError(f"{path} must be an object; write {EXAMPLE}")
    if content.get("ok") is False:
        raise InvalidRequestError(f"{path} holds an error of `models check`: {content.get('error')}")
    try:
        if isinstance(content.get("models"), list):
            return {str(row["model_id"]): _checked(row) for row in content["models"]}
        return {model_id: _written(given) for model_id, given in content.items()}
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        said = f"{place}: {first['msg']}" if place else first["msg"]
        raise InvalidRequestError(f"{path}: {said}; write {EXAMPLE}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidRequestError(
            f"{path} holds no figures: {error}; it must be what `sightline models check --json` prints, or {EXAMPLE}"
        ) from error


def _written(given: object) -> Figures:
    written = WrittenFigures.model_validate(given)
    return Figures(
        times=written.times(),
        max_batch_items=written.max_batch_items,
        device=_device(written.device),
        measured="as written",
    )


def _checked(row: Mapping[str, Any]) -> Figures:
    """A row of `models check`: milliseconds an image by batch size, of the network alone."""
    times = {int(size): float(ms) * int(size) for size, ms in row["ms_an_image"].items()}
    return Figures(
        times=ServiceTimes(ms_by_batch=times),
        max_batch_items=row.get("max_batch_size") or row.get("batch_size"),
        device=_device(str(row.get("device", ON_CPU))),
        measured="the network alone",
    )


def _device(name: str) -> str:
    """The device as it is called here; a name that nobody knows would be counted for a GPU."""
    if name.lower() not in DEVICES:
        raise ValueError(f"device {name!r} is none of {', '.join(DEVICES)}")
    return name.lower()
