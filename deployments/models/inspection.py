"""Opening a package to see what it is: loaded once, run once, and timed."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deployments.models.engines.engine import Engine, TensorSpec, metadata_of
from deployments.models.loading import NO_OTHERS, LoadedModel, engine_of, load_model
from deployments.models.package import ModelPackage
from deployments.models.timing import median_ms
from deployments.settings import EngineSettings

BATCH_SIZES = (1, 8)
TIMING_S = 1.0
MOST_RUNS = 30

PLAIN_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "taskName"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenTensor:
    """One input or output of a network.

    Attributes:
        name: as the graph calls it.
        declared_shape: as the graph says; None where any length will do.
        seen_shape: when the network was run on one picture.
        dtype: element type.
    """

    name: str
    declared_shape: tuple[int | None, ...]
    seen_shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What a package turned out to be.

    Attributes:
        package: what was opened.
        architecture: which code reads its outputs; None where there is only one for its task.
        is_declared: whether the package says its architecture, rather than its outputs.
        input_hw: height and width of its network's input, pixels.
        batch_size: the only batch that the graph takes; None when any will do.
        inputs: of the network.
        outputs: of the network.
        device: where it runs: `cpu`, or something that is waited for.
        ms_an_image: batch size -> time that the network takes for one image of such a batch: CPU time of one thread
            where it runs on the CPU, else what passed on the clock.
        notes: what is missing or does not fit, though the model can be served.
    """

    package: ModelPackage
    architecture: str | None
    is_declared: bool
    input_hw: tuple[int, int]
    batch_size: int | None
    device: str
    inputs: tuple[SeenTensor, ...]
    outputs: tuple[SeenTensor, ...]
    ms_an_image: Mapping[int, float]
    notes: tuple[str, ...]


class WatchedEngine:
    """An engine that remembers its last run."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.feeds: Mapping[str, NDArray[Any]] = {}
        self.answers: Mapping[str, NDArray[Any]] = {}

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """What `run` must be fed."""
        return self._engine.inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """What `run` gives back."""
        return self._engine.outputs

    @property
    def device(self) -> str:
        """Where it runs."""
        return self._engine.device

    @property
    def metadata(self) -> Mapping[str, str]:
        """What its file says of itself."""
        return metadata_of(self._engine)

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Every output by its name."""
        self.feeds = dict(feeds)
        answers = self._engine.run(feeds)
        self.answers = answers
        return answers

    def run_ms(self, batch_size: int) -> float:
        """Time of one image of such a batch: the median of some runs on the last input, repeated.

        An engine with one thread computes in the thread that calls it.
        """
        feeds = {name: np.ascontiguousarray(np.concatenate([fed[:1]] * batch_size)) for name, fed in self.feeds.items()}
        work = partial(self._engine.run, feeds)
        return median_ms(work, device=self.device, most_runs=MOST_RUNS, timing_s=TIMING_S) / batch_size


def inspect_package(
    package: ModelPackage, others: Mapping[str, ModelPackage] = NO_OTHERS, *, timed: bool = True
) -> Inspection:
    """What a package is, seen by loading its model, which runs its network once.

    Args:
        package: what to open.
        others: by id, the packages that this one may name.
        timed: whether its speed is measured, which takes a few seconds more.

    Raises:
        ModelError: it cannot be served, and why.
    """
    with _warnings() as notes:
        model = load_model(package, EngineSettings(device="cpu", idle_threads=1), others, WatchedEngine)
    engine = engine_of(model)
    assert isinstance(engine, WatchedEngine)  # of the networks of a package, the one whose weights it names
    sizes = [size for size in BATCH_SIZES if model.batch_size in (None, size)] or [model.batch_size or 1]
    return Inspection(
        package=package,
        architecture=_architecture(model),
        is_declared=package.architecture is not None,
        input_hw=model.input_hw,
        batch_size=model.batch_size,
        device=engine.device,
        inputs=_seen(engine.inputs, engine.feeds),
        outputs=_seen(engine.outputs, engine.answers),
        ms_an_image={size: engine.run_ms(size) for size in sizes} if timed else {},
        notes=(*notes, *_missing(package)),
    )


def _architecture(model: LoadedModel) -> str | None:
    named: str | None = getattr(model, "architecture_name", None)
    return named or model.package.architecture


def _seen(specs: tuple[TensorSpec, ...], arrays: Mapping[str, NDArray[Any]]) -> tuple[SeenTensor, ...]:
    return tuple(
        SeenTensor(
            name=spec.name,
            declared_shape=spec.shape,
            seen_shape=arrays[spec.name].shape if spec.name in arrays else (),
            dtype=str(spec.dtype),
        )
        for spec in specs
    )


def _missing(package: ModelPackage) -> Iterator[str]:
    if package.sha256 is None and package.emulated is None:
        yield "no checksum of the weights is declared: damage that leaves the file whole is not noticed"


@contextmanager
def _warnings() -> Iterator[list[str]]:
    """What the code of models warns of meanwhile."""
    said: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            extra = {name: value for name, value in vars(record).items() if name not in PLAIN_RECORD}
            extra.pop("model_id", None)
            details = ", ".join(f"{name} {value}" for name, value in extra.items())
            said.append(f"{record.getMessage()}{f' ({details})' if details else ''}")

    logger, handler = logging.getLogger("deployments.models"), Handler(logging.WARNING)
    logger.addHandler(handler)
    was, logger.propagate = (logger.propagate, logger.level), False
    logger.setLevel(logging.WARNING)  # whatever the command shows of logs
    try:
        yield said
    finally:
        logger.propagate = was[0]
        logger.setLevel(was[1])
        logger.removeHandler(handler)
