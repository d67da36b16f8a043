"""Everything a door may ask of the data plane, without any transport: HTTP, and later others, are thin above it."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from deployments.dataplane.admission import Admission, Ticket
from deployments.dataplane.backend import Backend, Work
from deployments.dataplane.backend_dispatcher import BackendDispatcher, to_classification, to_detections
from deployments.dataplane.deadline import within_deadline
from deployments.dataplane.image_inputs import ImageInputs, image_error
from deployments.dataplane.image_question import ImageQuestion
from deployments.dataplane.saved_workflows import SavedWorkflows
from deployments.dataplane.stored_workflows import StoredDefinitions, WorkflowSource
from deployments.dataplane.tensor_question import NetworkDescription, TensorQuestion, Tensors
from deployments.dataplane.url_fetch import UrlFetcher
from deployments.errors import OverloadedError, PayloadTooLargeError, ReplicaLostError
from deployments.models.errors import ModelUnavailableError, UnknownModelError
from deployments.models.image_model import Prediction
from deployments.models.known_models import KnownModels
from deployments.models.registry import ModelRow
from deployments.models.tasks import Tasks
from deployments.settings import DATABASE_VARIABLE, DEFAULT_TEXT_READER, IngressSettings, database_url_here
from deployments.storage.errors import StorageUnavailableError
from deployments.storage.key_ring import KeyRing, KeySource
from workflows.compiler.cache import PlanCache
from workflows.compiler.compile import CompileLimits
from workflows.compiler.interface import describe_interface
from workflows.compiler.plan import Plan
from workflows.errors import ImageDecodeError
from workflows.executor.options import RunOptions
from workflows.executor.run import run_workflow
from workflows.executor.together import together
from workflows.ports import PredictionOptions
from workflows.values.classification import Classification
from workflows.values.detections import Detections
from workflows.values.image import Image
from workflows.values.recognized_text import RecognizedText

if TYPE_CHECKING:
    from deployments.storage.database import Database

Found = TypeVar("Found")

PREDICT = "model"
READ = "ocr"
INFER = "tensors"

PASSED_THROUGH = (OverloadedError, ReplicaLostError, PayloadTooLargeError, ModelUnavailableError)
"""Failures of the serving that are no step's fault: the client may send the same request again."""


class WorkflowService:
    """Runs workflows and single models on a backend."""

    def __init__(
        self,
        backend: Backend,
        settings: IngressSettings,
        fetcher: UrlFetcher | None = None,
        text_reader_model: str = DEFAULT_TEXT_READER,
        key_source: Callable[[], KeySource] | None = None,
        workflow_source: Callable[[], WorkflowSource] | None = None,
    ) -> None:
        """Set up above a backend.

        Args:
            backend: where work is done.
            settings: what is accepted.
            fetcher: for images that clients name by URL; made from the settings when None.
            text_reader_model: reads for the steps that name no other.
            key_source: opens what knows keys, where they are asked for; the database of the environment when None.
            workflow_source: opens what keeps workflows beside the files; the same when None.
        """
        self.text_reader_model = text_reader_model
        self.settings = settings
        self.admission = Admission(settings.admission)
        self._backend = backend
        self._plans = PlanCache(limits=CompileLimits(max_steps=settings.max_steps))
        self._saved = SavedWorkflows(settings.workflows_dir, discreet=settings.require_keys)
        if workflow_source is None and database_url_here() is not None:
            workflow_source = _stored_workflows
        self._stored = None if workflow_source is None else StoredDefinitions(workflow_source)
        self.keys = KeyRing(key_source or _stored_keys)
        self._fetcher = fetcher or _fetcher(settings)
        self._images = ImageInputs(settings, self._fetcher, self.admission)

    def close(self) -> None:
        """Fetch nothing more; called once no request is under way."""
        if self._fetcher is not None:
            self._fetcher.close()

    def begin(self, request_id: str, timeout_s: float | None = None, ticket: Ticket | None = None) -> Work:
        """Work of a new request, which has `timeout_s` seconds at most; `ticket` is its place among those in flight."""
        allowed_s = min(timeout_s or self.settings.default_timeout_s, self.settings.max_timeout_s)
        return Work(request_id=request_id, deadline_unix_s=time.time() + allowed_s, ticket=ticket)

    def compile(self, document: Mapping[str, Any]) -> Plan:
        """The plan of a definition.

        Raises:
            DefinitionError: the document cannot become one.
        """
        return self._plans.get(document)

    def describe_interface(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Kinds of the inputs and outputs of a definition.

        Raises:
            DefinitionError: the document cannot become a plan.
        """
        return describe_interface(self.compile(document))

    async def saved_workflow(
        self, workspace: str, workflow_id: str, version_id: str | None = None, *, use_cache: bool = True
    ) -> dict[str, Any]:
        """A saved definition: a file, which has no versions, or else what the database has.

        Raises:
            WorkflowNotFoundError: there is none with this name, or no such version of it.
            StateUnavailableError: the database cannot be asked.
        """
        found = self._saved.find(workspace, workflow_id, version_id)
        if found is None and self._stored is not None:
            found = await self._stored.get(workspace, workflow_id, version_id, use_cache=use_cache)
        if found is None:
            raise self._saved.not_found(workspace, workflow_id, version_id)
        return found

    async def run_workflow(
        self,
        document: Mapping[str, Any],
        inputs: Mapping[str, Any],
        *,
        excluded_fields: Sequence[str],
        work: Work,
    ) -> list[dict[str, Any]]:
        """Outputs of a definition for each element of the batch, ready to be JSON.

        Raises:
            WorkflowError: the definition, its inputs or a step is wrong, or the time was over.
            ServingError: what the serving could not do.
        """
        plan = self.compile(document)
        options = RunOptions(
            deadline_unix_s=work.deadline_unix_s,
            fetch=self._images.fetches(work.ticket).fetch,
            max_images=self.settings.max_images,
            max_pixels=self.settings.max_pixels,
            max_elements_per_step=self.settings.max_crops_per_step,
            excluded_fields=frozenset(excluded_fields),
            passed_through=PASSED_THROUGH,
        )
        return await run_workflow(plan, inputs, BackendDispatcher(self._backend, work, self.text_reader_model), options)

    async def predict(
        self,
        images: Sequence[Any],
        model_id: str,
        tasks: Tasks,
        options: PredictionOptions,
        work: Work,
        *,
        auto_orient: bool = True,
    ) -> list[tuple[Image, Detections | Classification]]:
        """What a model says about each image that a client sent.

        Args:
            images: as the client sent them.
            model_id: which model.
            tasks: what the client can take an answer of.
            options: how the network's output becomes the answer.
            work: of the request.
            auto_orient: whether pictures are turned as their EXIF orientation says.

        Raises:
            ServingError: no such model, one for something else, or an image cannot be read.
        """

        async def ask(image: Image) -> Prediction:
            question = ImageQuestion(image=image, tasks=tasks, options=options)
            return await self._backend.predict(question, model_id, work, PREDICT)

        work.model_ids.add(model_id)
        async with within_deadline(work):
            read = await self._images.read_all(images, auto_orient=auto_orient, ticket=work.ticket)
            found = await _for_each(read, ask)
        return [(image, _answer(each, image)) for image, each in zip(read, found, strict=True)]

    async def read_text(
        self, images: Sequence[Any], model_id: str, work: Work, *, auto_orient: bool = True
    ) -> list[tuple[Image, RecognizedText]]:
        """Text on each image that a client sent; arguments as in `predict`.

        Raises:
            ServingError: no such model, or an image cannot be read.
        """
        work.model_ids.add(model_id)
        if not images:
            return []  # unlike an object detector's request, which is an error: so clients know it
        async with within_deadline(work):
            read = await self._images.read_all(images, auto_orient=auto_orient, ticket=work.ticket)
            texts = await _for_each(read, lambda image: self._backend.read(image, model_id, work, READ))
        return list(zip(read, texts, strict=True))

    async def infer(self, question: TensorQuestion, model_id: str, work: Work) -> Tensors:
        """What the network of a model makes of tensors.

        Raises:
            ServingError: no such model, or the tensors do not fit it.
        """
        work.model_ids.add(model_id)
        async with within_deadline(work):
            return await self._backend.infer(question, model_id, work, INFER)

    async def network(self, model_id: str, work: Work) -> NetworkDescription:
        """What the network of a model takes and gives; the model is loaded first when need be.

        Raises:
            ServingError: no such model, or it cannot be loaded.
        """
        work.model_ids.add(model_id)
        async with within_deadline(work):
            return await self._backend.network(model_id, work)

    def known_models(self) -> KnownModels:
        """The models that can be asked for, loaded or not."""
        return self._backend.known_models()

    async def models(self) -> tuple[ModelRow, ...]:
        """Models that are loaded now."""
        return await self._backend.models()

    async def add_model(self, model_id: str, work: Work) -> None:
        """Load a model.

        Raises:
            ServingError: there is none with this id, or it cannot be loaded.
        """
        work.model_ids.add(model_id)
        async with within_deadline(work):
            await self._backend.add_model(model_id, work)

    async def remove_model(self, model_id: str) -> None:
        """Unload a model; one that is not loaded, or does not exist, is not there afterwards either.

        Raises:
            InvalidModelIdError: the text is no model id.
        """
        with suppress(UnknownModelError):
            await self._backend.remove_model(model_id)

    async def clear_models(self) -> None:
        """Unload every model that may be unloaded."""
        await self._backend.clear_models()

    async def ready(self) -> bool:
        """Whether every kind of model has answered a warm-up."""
        return await self._backend.ready()


def _answer(found: Prediction, image: Image) -> Detections | Classification:
    return to_classification(found, image) if isinstance(found, Classification) else to_detections(found, image)


async def _for_each(images: Sequence[Image], work: Callable[[Image], Coroutine[Any, Any, Found]]) -> list[Found]:
    """What `work` gives for each image, in order.

    Raises:
        ImageInputError: an image turned out to be torn.
    """

    async def on(at: int) -> Found:
        try:
            return await work(images[at])
        except ImageDecodeError as error:
            raise image_error(error, at, len(images)) from error

    return await together([on(at) for at in range(len(images))])


def _stored_keys() -> KeySource:
    from deployments.storage.keys import StoredKeys

    return StoredKeys(_database())


def _stored_workflows() -> WorkflowSource:
    from deployments.storage.workflows import StoredWorkflows

    return StoredWorkflows(_database())


@lru_cache(maxsize=1)
def _database() -> Database:
    from deployments.storage.database import open_database  # SQLAlchemy: only where something stored is asked for

    url = database_url_here()
    if url is None:
        raise StorageUnavailableError(f"keys are asked for, and {DATABASE_VARIABLE} does not say where they are kept")
    return open_database(url)


def _fetcher(settings: IngressSettings) -> UrlFetcher | None:
    if not settings.url_images:
        return None
    return UrlFetcher(
        max_bytes=settings.max_body_bytes,
        timeout_s=settings.url_timeout_s,
        allowed_hosts=settings.url_allowed_hosts,
        denied_hosts=settings.url_denied_hosts,
    )
