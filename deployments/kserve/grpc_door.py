"""The calls of the protocol over a service; Serve runs them as methods of the deployment behind the door."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Coroutine, Iterable, Mapping
from ipaddress import ip_address
from typing import Any, Protocol, TypeVar
from urllib.parse import unquote

import grpc
import orjson

from deployments.dataplane.backend import Work
from deployments.dataplane.service import WorkflowService
from deployments.dataplane.tensor_question import NetworkDescription
from deployments.errors import UnauthorizedKeyError
from deployments.ingress.errors import response_for
from deployments.ingress.key_policy import GRPC_POLICIES, PUBLIC, check_text
from deployments.ingress.kserve.descriptions import (
    model_config,
    model_metadata,
    repository_index,
    server_metadata,
)
from deployments.ingress.kserve.model_names import AskedModel, known_id, meant_id, name_and_version
from deployments.ingress.kserve.routes import limit_time
from deployments.kserve.generated import open_inference_pb2 as messages
from deployments.kserve.grpc_messages import read_question, timeout_us_of, write_answer
from deployments.observability import metrics

logger = logging.getLogger("deployments.ingress.access")

Message = TypeVar("Message")

CODES: Mapping[int, grpc.StatusCode] = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    501: grpc.StatusCode.UNIMPLEMENTED,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}
"""HTTP status of an error -> gRPC's; INTERNAL for all others."""


class CallContext(Protocol):
    """What is used of gRPC's own, and of Serve's in its place."""

    def invocation_metadata(self) -> Iterable[tuple[str, str | bytes]]:
        """What the client sent beside the message."""

    def peer(self) -> str:
        """Who calls, as gRPC says it: `ipv4:127.0.0.1:50000`."""

    def set_code(self, code: grpc.StatusCode) -> None:
        """Of the answer."""

    def set_details(self, details: str) -> None:
        """What is wrong."""


def is_this_machine(peer: str) -> bool:
    """Whether a peer, as gRPC says it, is on this machine.

    Source: gRPC's naming of addresses, https://grpc.github.io/grpc/core/md_doc_naming.html
    """
    kind, _, rest = unquote(peer).partition(":")
    if kind == "unix":
        return True
    try:
        address = ip_address(rest.rpartition(":")[0].strip("[]"))
    except ValueError:
        return False
    mapped = address.ipv4_mapped if address.version == 6 else None
    return (mapped or address).is_loopback


class GrpcDoor:
    """Methods by the names of the calls; errors become codes, and leave one line in the log as answers do.

    A client that hangs up, or whose own deadline is over, cancels its call, and with it the work.
    """

    _service: WorkflowService

    async def ServerLive(
        self, request: messages.ServerLiveRequest, grpc_context: CallContext
    ) -> messages.ServerLiveResponse:
        """Whether this process answers."""
        return messages.ServerLiveResponse(live=True)

    async def ServerReady(
        self, request: messages.ServerReadyRequest, grpc_context: CallContext
    ) -> messages.ServerReadyResponse:
        """Whether the models have answered a warm-up."""

        async def ready(work: Work) -> messages.ServerReadyResponse:
            return messages.ServerReadyResponse(ready=await self._service.ready())

        return await self._answered("ServerReady", ready, messages.ServerReadyResponse(), grpc_context)

    async def ServerMetadata(
        self, request: messages.ServerMetadataRequest, grpc_context: CallContext
    ) -> messages.ServerMetadataResponse:
        """Name, version and extensions of the server."""
        return messages.ServerMetadataResponse(**server_metadata())

    async def RepositoryIndex(
        self, request: messages.RepositoryIndexRequest, grpc_context: CallContext
    ) -> messages.RepositoryIndexResponse:
        """The models that are loaded."""

        async def index(work: Work) -> messages.RepositoryIndexResponse:
            return messages.RepositoryIndexResponse(models=repository_index(await self._service.models()))

        return await self._answered("RepositoryIndex", index, messages.RepositoryIndexResponse(), grpc_context)

    async def ModelReady(
        self, request: messages.ModelReadyRequest, grpc_context: CallContext
    ) -> messages.ModelReadyResponse:
        """Whether a model is loaded; it need not be, to be asked."""

        async def ready(work: Work) -> messages.ModelReadyResponse:
            asked = AskedModel(name=request.name, version=request.version)
            model_id = known_id(asked, self._service.known_models())
            rows = await self._service.models()
            return messages.ModelReadyResponse(ready=any(row.model_id == model_id for row in rows))

        return await self._answered("ModelReady", ready, messages.ModelReadyResponse(), grpc_context)

    async def ModelMetadata(
        self, request: messages.ModelMetadataRequest, grpc_context: CallContext
    ) -> messages.ModelMetadataResponse:
        """Names, types and shapes of a model's tensors."""
        asked = AskedModel(name=request.name, version=request.version)

        async def metadata(work: Work) -> messages.ModelMetadataResponse:
            return messages.ModelMetadataResponse(**model_metadata(asked, await self._network(asked, work)))

        return await self._answered("ModelMetadata", metadata, messages.ModelMetadataResponse(), grpc_context)

    async def ModelConfig(
        self, request: messages.ModelConfigRequest, grpc_context: CallContext
    ) -> messages.ModelConfigResponse:
        """The configuration of a model, as Triton would have it."""
        asked = AskedModel(name=request.name, version=request.version)

        async def config(work: Work) -> messages.ModelConfigResponse:
            made = model_config(asked, await self._network(asked, work))
            return messages.ModelConfigResponse(config=messages.ModelConfig(**made))

        return await self._answered("ModelConfig", config, messages.ModelConfigResponse(), grpc_context)

    async def ModelInfer(
        self, request: messages.ModelInferRequest, grpc_context: CallContext
    ) -> messages.ModelInferResponse:
        """Outputs of a network for the tensors in the message."""
        asked = AskedModel(name=request.model_name, version=request.model_version)

        async def infer(work: Work) -> messages.ModelInferResponse:
            admission = self._service.admission
            size_bytes = admission.limits.memory_bytes(request.ByteSize())
            ticket = admission.enter(size_bytes, timeout_s=work.deadline_unix_s - time.time())
            answered = False
            try:
                message = await answer(work)
                answered = not work.model_loads
            finally:
                admission.leave(ticket, answered=answered)
            return message

        async def answer(work: Work) -> messages.ModelInferResponse:
            question = read_question(request, self._service.settings.max_body_bytes)
            limit_time(work, timeout_us_of(request))
            model_id = meant_id(asked, self._service.known_models())
            tensors = await self._service.infer(question, model_id, work)
            version = asked.version or name_and_version(model_id).version
            return write_answer(request, version, tensors)

        return await self._answered("ModelInfer", infer, messages.ModelInferResponse(), grpc_context)

    async def _network(self, asked: AskedModel, work: Work) -> NetworkDescription:
        """What the network of a model takes and gives."""
        return await self._service.network(meant_id(asked, self._service.known_models()), work)

    async def _check_key(self, call: str, grpc_context: CallContext) -> None:
        """As `key_policy.check_key`; the key is a bearer token in the metadata `authorization`."""
        settings = self._service.settings
        if settings.grpc_from_this_machine and not is_this_machine(grpc_context.peer()):
            raise UnauthorizedKeyError("without keys this server answers its own machine alone")
        scope = GRPC_POLICIES.get(call)
        if not settings.require_keys or (call in GRPC_POLICIES and scope is PUBLIC):
            return
        sent = next((value for name, value in grpc_context.invocation_metadata() if name == "authorization"), "")
        scheme, _, token = str(sent).partition(" ")
        key = token.strip() if scheme.lower() == "bearer" else None
        await check_text(self._service.keys, key, scope, settings.keys_workspace)

    async def _answered(
        self,
        call: str,
        answer: Callable[[Work], Coroutine[Any, Any, Message]],
        nothing: Message,
        grpc_context: CallContext,
    ) -> Message:
        """What `answer` gives for new work, or `nothing` and a code that says why."""
        began_s = time.perf_counter()
        work = self._service.begin(str(uuid.uuid4()))
        message, status = nothing, 200
        kind: str | None = None
        try:
            await self._check_key(call, grpc_context)
            message = await answer(work)
        except Exception as error:  # noqa: BLE001 - whatever went wrong must become a code of gRPC
            response = response_for(error)
            status, kind = response.status_code, type(error).__name__
            grpc_context.set_code(CODES.get(status, grpc.StatusCode.INTERNAL))
            grpc_context.set_details(orjson.loads(bytes(response.body))["message"])
        elapsed_ms = (time.perf_counter() - began_s) * 1000
        metrics.record_request("GRPC", call, status, elapsed_ms)
        if self._service.settings.log_requests:
            logger.info(
                "request",
                extra={
                    "request_id": work.request_id,
                    "method": "GRPC",
                    "path": call,
                    "status": status,
                    "latency_ms": round(elapsed_ms, 1),
                    "models": sorted(work.model_ids),
                    "error": kind,
                },
            )
        return message
