"""Which models are loaded: a bounded number of them, the least recently used making room for new ones."""

from __future__ import annotations

import asyncio
import copy
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, TypeVar

from deployments.models.errors import ModelError, ModelPackageError, ModelUnavailableError, UnknownModelError
from deployments.models.known_models import KnownModels
from deployments.models.loading import LoadedModel
from deployments.models.package import ModelPackage
from deployments.observability import metrics
from workflows.definition.nearest import suggest

logger = logging.getLogger(__name__)

Model = TypeVar("Model", bound=LoadedModel)

DEFAULT_CAPACITY = 8
LOADING_THREADS = 2
FAILURE_KEPT_S = 10.0
"""How long those who ask again are told why a model did not load: a load may cost seconds and gigabytes, and clients
that try again at once would keep the loading threads from all other models."""

NONE_REFUSED: Mapping[str, ModelPackageError] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRow:
    """One loaded model, as it is listed.

    Attributes:
        model_id: its id.
        task_type: such as `object-detection`.
        batch_size: fixed batch of its graph; None when any batch will do.
        input_height: of the network, pixels.
        input_width: of the network, pixels.
    """

    model_id: str
    task_type: str
    batch_size: int | None
    input_height: int
    input_width: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Acquired(Generic[Model]):
    """A model, and what it cost to have it.

    Attributes:
        model: loaded and warm.
        model_id: its id, short names replaced.
        load_s: how long its load took, for those who waited for it; None when it was there.
    """

    model: Model
    model_id: str
    load_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Loaded(Generic[Model]):
    model: Model
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Load(Generic[Model]):
    """A load under way; one that is no longer listed when it ends is dropped: its model was removed meanwhile."""

    ticket: object
    future: Future[_Loaded[Model]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Failure:
    """Why a model did not load. The error is a copy that was never raised: a traceback holds on to whole requests."""

    error: ModelError
    until_s: float


class ModelRegistry(Generic[Model]):
    """Loaded models by id, for any number of threads and event loops.

    A model is loaded once however many ask for it at the same time, in a thread of its own pool, so that requests for
    other models never wait. A load that failed is tried again by the next who asks, after some seconds in which
    whoever asks is told why; at once when the server of the model is away.
    """

    def __init__(
        self,
        packages: Mapping[str, ModelPackage],
        loader: Callable[[ModelPackage], Model],
        *,
        capacity: int = DEFAULT_CAPACITY,
        pinned_ids: Collection[str] = (),
        refused: Mapping[str, ModelPackageError] = NONE_REFUSED,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is loaded yet.

        Args:
            packages: what can be loaded.
            loader: makes a model of a package; called in a thread.
            capacity: most models to keep; more only when more are pinned.
            pinned_ids: models that never make room for others.
            refused: what to tell those who ask for a model whose package is broken.
            clock: seconds that never go back.

        Raises:
            ValueError: no room for a single model.
            UnknownModelError: a pinned id that nothing is served under.
        """
        if capacity < 1:
            raise ValueError(f"capacity is {capacity}; the registry must hold at least one model")
        self._packages = dict(packages)
        self._refused = dict(refused)
        self.known = KnownModels.of(self._packages, self._refused)
        self._loader = loader
        self._capacity = capacity
        self._lock = threading.Lock()
        self._loaded: OrderedDict[str, _Loaded[Model]] = OrderedDict()
        self._loading: dict[str, _Load[Model]] = {}
        self._failed: dict[str, _Failure] = {}
        self._clock = clock
        self._executor = ThreadPoolExecutor(max_workers=LOADING_THREADS, thread_name_prefix="model-load")
        self._pinned = frozenset(self.resolve(model_id) for model_id in pinned_ids)

    @property
    def served_ids(self) -> tuple[str, ...]:
        """Ids that can be asked for, sorted."""
        return tuple(sorted(self._packages))

    @property
    def loaded_ids(self) -> tuple[str, ...]:
        """Models that are loaded now, the least recently used first."""
        with self._lock:
            return tuple(self._loaded)

    def is_loaded(self, model_id: str) -> bool:
        """Whether a model can be had without loading it.

        Raises:
            InvalidModelIdError: the text is no model id.
            UnknownModelError: no package has this id.
        """
        canonical = self.resolve(model_id)
        with self._lock:
            return canonical in self._loaded

    def package(self, model_id: str) -> ModelPackage:
        """The package of a model, loaded or not.

        Raises:
            InvalidModelIdError: the text is no model id.
            UnknownModelError: no package has this id.
        """
        return self._packages[self.resolve(model_id)]

    def resolve(self, model_id: str) -> str:
        """The id under which a package is served, short names replaced.

        Raises:
            InvalidModelIdError: the text is no model id.
            ModelPackageError: its package is broken.
            UnknownModelError: no package has this id; names the nearest one, or all when they are few.
        """
        canonical = self.known.canonical(model_id)
        if canonical in self._packages:
            return canonical
        if canonical in self._refused:
            broken = self._refused[canonical]
            raise ModelPackageError(f"model {canonical!r} cannot be served: {broken.message}", broken.path)
        shown = repr(model_id) if canonical == model_id else f"{model_id!r} (that is {canonical!r})"
        hint = suggest(canonical, self.served_ids, what="models")
        raise UnknownModelError(f"there is no model {shown}; {hint}", canonical)

    async def acquire(self, model_id: str) -> Acquired[Model]:
        """The model, loaded first when need be. Who stops waiting does not stop the load of the others.

        Raises:
            InvalidModelIdError: the text is no model id.
            UnknownModelError: no package has this id.
            ModelLoadError: its weights do not load.
            UnsupportedModelError: no code here runs it.
        """
        canonical = self.resolve(model_id)
        ready = self._ready_or_loading(canonical)
        if isinstance(ready, _Loaded):
            return Acquired(model=ready.model, model_id=canonical, load_s=None)
        waiting = asyncio.wrap_future(ready)
        waiting.add_done_callback(_read_error)
        loaded = await asyncio.shield(waiting)
        return Acquired(model=loaded.model, model_id=canonical, load_s=loaded.seconds)

    def get_blocking(self, model_id: str) -> Model:
        """As `acquire`, for threads."""
        ready = self._ready_or_loading(self.resolve(model_id))
        return ready.model if isinstance(ready, _Loaded) else ready.result().model

    def remove(self, model_id: str) -> bool:
        """Forget a loaded model, pinned or not; whoever still uses it, or waits for its load, keeps it until done.

        Returns:
            Whether it was loaded, or was being loaded.

        Raises:
            InvalidModelIdError: the text is no model id.
            UnknownModelError: no package has this id.
        """
        canonical = self.resolve(model_id)
        with self._lock:
            self._failed.pop(canonical, None)
            was_loading = self._loading.pop(canonical, None) is not None
            was_loaded = self._loaded.pop(canonical, None) is not None
            metrics.models_loaded.dec(was_loaded)
            return was_loaded or was_loading

    def clear(self) -> None:
        """Forget every model that is not pinned, loaded or being loaded."""
        with self._lock:
            self._failed.clear()
            self._loading = {model_id: load for model_id, load in self._loading.items() if model_id in self._pinned}
            for model_id in [model_id for model_id in self._loaded if model_id not in self._pinned]:
                del self._loaded[model_id]
                metrics.models_loaded.dec()

    def resize(self, capacity: int) -> None:
        """Keep another number of models from now on.

        Raises:
            ValueError: no room for a single model.
        """
        if capacity < 1:
            raise ValueError(f"capacity is {capacity}; the registry must hold at least one model")
        with self._lock:
            self._capacity = capacity
            self._make_room(newest="")

    def describe(self) -> tuple[ModelRow, ...]:
        """Loaded models, the least recently used first."""
        with self._lock:
            loaded = dict(self._loaded)
        return tuple(
            ModelRow(
                model_id=model_id,
                task_type=each.model.package.task_type,
                batch_size=each.model.batch_size,
                input_height=each.model.input_hw[0],
                input_width=each.model.input_hw[1],
            )
            for model_id, each in loaded.items()
        )

    def close(self) -> None:
        """Take no more loads and forget every model; loads and runs under way end by themselves."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            metrics.models_loaded.dec(len(self._loaded))
            self._loaded.clear()
            self._loading.clear()

    def _ready_or_loading(self, model_id: str) -> _Loaded[Model] | Future[_Loaded[Model]]:
        with self._lock:
            loaded = self._loaded.get(model_id)
            if loaded is not None:
                self._loaded.move_to_end(model_id)
                return loaded
            under_way = self._loading.get(model_id)
            if under_way is None:
                self._raise_recent_failure(model_id)
                ticket = object()
                under_way = _Load(ticket=ticket, future=self._executor.submit(self._load, model_id, ticket))
                self._loading[model_id] = under_way
            return under_way.future

    def _raise_recent_failure(self, model_id: str) -> None:
        failure = self._failed.get(model_id)
        if failure is None:
            return
        if self._clock() < failure.until_s:
            raise copy.copy(failure.error)
        del self._failed[model_id]

    def _load(self, model_id: str, ticket: object) -> _Loaded[Model]:
        started = time.perf_counter()
        try:
            loaded = _Loaded(model=self._loader(self._packages[model_id]), seconds=time.perf_counter() - started)
        except BaseException as error:
            with self._lock:
                if self._ended(model_id, ticket) and isinstance(error, ModelError):
                    self._keep_failure(model_id, error)
            metrics.model_load_failures_total.inc()
            raise
        with self._lock:
            if self._ended(model_id, ticket):
                self._loaded[model_id] = loaded
                metrics.models_loaded.inc()
                self._make_room(newest=model_id)
        metrics.record_load(model_id, loaded.seconds)
        logger.info("model ready", extra={"model_id": model_id, "load_s": round(loaded.seconds, 3)})
        return loaded

    def _ended(self, model_id: str, ticket: object) -> bool:
        """Take a load off the list; whether it was still on it."""
        load = self._loading.get(model_id)
        if load is None or load.ticket is not ticket:
            return False
        del self._loading[model_id]
        return True

    def _keep_failure(self, model_id: str, error: ModelError) -> None:
        if not isinstance(error, ModelUnavailableError):
            self._failed[model_id] = _Failure(error=copy.copy(error), until_s=self._clock() + FAILURE_KEPT_S)

    def _make_room(self, newest: str) -> None:
        for model_id in list(self._loaded):
            if len(self._loaded) <= self._capacity:
                return
            if model_id not in self._pinned and model_id != newest:
                del self._loaded[model_id]
                metrics.models_loaded.dec()
                metrics.model_evictions_total.inc()
                logger.info("model unloaded to make room", extra={"model_id": model_id, "newest": newest})


def _read_error(waiting: asyncio.Future[_Loaded[Model]]) -> None:
    """Look at the error of a load that nobody waits for any more: asyncio complains of those that nobody looked at."""
    if not waiting.cancelled():
        waiting.exception()
