"""Routes of the Open Inference Protocol."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from deployments.dataplane.backend import Work
from deployments.dataplane.tensor_question import NetworkDescription
from deployments.errors import InvalidRequestError
from deployments.ingress.errors import response_for
from deployments.ingress.exchange import while_connected
from deployments.ingress.json_codec import JsonResponse
from deployments.ingress.kserve.descriptions import (
    model_config,
    model_metadata,
    repository_index,
    server_metadata,
)
from deployments.ingress.kserve.http_messages import HEADER_LENGTH, read_inference, write_inference
from deployments.ingress.kserve.model_names import AskedModel, known_id, meant_id, name_and_version
from deployments.ingress.request_body import count_values, read_whole
from deployments.ingress.service_access import begin_work, service_of


class ProtocolRoute(APIRoute):
    """A route whose errors have the protocol's shape: `{"error": "..."}`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with its errors caught."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except Exception as error:  # noqa: BLE001 - whatever went wrong must be said in the protocol's words
                request.state.error = error
                return in_protocol(response_for(error))

        return answer


def in_protocol(response: Response) -> Response:
    """Our answer to an error in the words of the protocol."""
    message = orjson.loads(bytes(response.body))["message"]
    retry = {name: value for name, value in response.headers.items() if name == "retry-after"}
    return JsonResponse({"error": message}, status_code=response.status_code, headers=retry)


router = APIRouter(tags=["open inference protocol"], route_class=ProtocolRoute)

# Of the two above a function, the lower one is tried first: the other takes any name, `name/versions/1` too.
VERSIONED = "/v2/models/{name:path}/versions/{version}"
UNVERSIONED = "/v2/models/{name:path}"


@router.get("/v2")
@router.get("/v2/", include_in_schema=False)
async def server() -> Response:
    """Name, version and extensions of the server."""
    return JsonResponse(server_metadata())


@router.get("/v2/health/live")
async def live() -> Response:
    """Whether this process answers."""
    return Response()


@router.get("/v2/health/ready")
async def ready(request: Request) -> Response:
    """Whether the models have answered a warm-up."""
    return Response(status_code=200 if await service_of(request).ready() else 503)


@router.post("/v2/repository/index")
async def index(request: Request) -> Response:
    """The models that are loaded."""
    return JsonResponse(repository_index(await service_of(request).models()))


@router.get(f"{UNVERSIONED}/ready")
@router.get(f"{VERSIONED}/ready")
async def model_ready(request: Request, name: str, version: str = "") -> Response:
    """Whether a model is loaded; it need not be, to be asked."""
    service = service_of(request)
    model_id = known_id(AskedModel(name=name, version=version), service.known_models())
    loaded = any(row.model_id == model_id for row in await service.models())
    return Response(status_code=200 if loaded else 503)


@router.get(f"{UNVERSIONED}/config")
@router.get(f"{VERSIONED}/config")
async def config(request: Request, name: str, version: str = "") -> Response:
    """The configuration of a model, as Triton would have it."""
    asked = AskedModel(name=name, version=version)
    network = await _network(request, asked)
    return JsonResponse(model_config(asked, network))


@router.post(f"{UNVERSIONED}/infer")
@router.post(f"{VERSIONED}/infer")
async def infer(request: Request, name: str, version: str = "") -> Response:
    """Outputs of a network for the tensors in the body."""
    asked = AskedModel(name=name, version=version)
    work = begin_work(request)
    if "content-encoding" in request.headers:
        raise InvalidRequestError("compressed bodies are not taken; send the body as it is, without Content-Encoding")
    raw = await read_whole(request)
    count_values(request, raw)
    inference = read_inference(raw, request.headers.get(HEADER_LENGTH))
    limit_time(work, inference.timeout_us)
    service = service_of(request)
    model_id = meant_id(asked, service.known_models())
    answer = await while_connected(request, service.infer(inference.question, model_id, work))
    told = version or name_and_version(model_id).version
    body, json_length = write_inference(asked, told, inference, answer)
    if json_length is None:
        return Response(body, media_type="application/json")
    return Response(body, media_type="application/octet-stream", headers={HEADER_LENGTH: str(json_length)})


@router.get(UNVERSIONED)
@router.get(VERSIONED)
async def metadata(request: Request, name: str, version: str = "") -> Response:
    """Names, types and shapes of a model's tensors."""
    asked = AskedModel(name=name, version=version)
    network = await _network(request, asked)
    return JsonResponse(model_metadata(asked, network))


async def _network(request: Request, asked: AskedModel) -> NetworkDescription:
    """What the network of a model takes and gives."""
    service = service_of(request)
    model_id = meant_id(asked, service.known_models())
    return await while_connected(request, service.network(model_id, begin_work(request)))


def limit_time(work: Work, timeout_us: int | None) -> None:
    """Give work no more time than the request's parameter allows."""
    if timeout_us is not None:
        work.deadline_unix_s = min(work.deadline_unix_s, time.time() + timeout_us / 1e6)
