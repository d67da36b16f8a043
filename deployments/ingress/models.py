"""Routes that list, load and unload models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from deployments.ingress.bodies import ModelBody
from deployments.ingress.exchange import while_connected
from deployments.ingress.json_codec import JsonResponse
from deployments.ingress.request_body import body_schema, read_body
from deployments.ingress.service_access import begin_work, service_of
from deployments.models.registry import ModelRow
from deployments.models.tasks import Task

router = APIRouter(tags=["models"])
legacy_router = APIRouter(tags=["models"])

TASK_NAMES: Mapping[str, str] = {Task.TEXT_RECOGNITION: "ocr", Task.MULTI_LABEL_CLASSIFICATION: "classification"}
"""Our tasks in the words of the wire, where they differ."""


@router.get("/model/registry")
async def registry(request: Request) -> Response:
    """The models that are loaded now."""
    return await _loaded_models(request)


@router.post("/model/add", openapi_extra=body_schema(ModelBody))
async def add(request: Request) -> Response:
    """Load a model."""
    body = await read_body(request, ModelBody)
    await _load(request, body.model_id)
    return await _loaded_models(request)


@router.post("/model/remove", openapi_extra=body_schema(ModelBody))
async def remove(request: Request) -> Response:
    """Unload a model."""
    body = await read_body(request, ModelBody)
    await service_of(request).remove_model(body.model_id)
    return await _loaded_models(request)


@router.post("/model/clear")
async def clear(request: Request) -> Response:
    """Unload every model that may be unloaded."""
    await service_of(request).clear_models()
    return await _loaded_models(request)


@legacy_router.get("/clear_cache")
async def clear_cache(request: Request) -> Response:
    """The same for old clients."""
    await service_of(request).clear_models()
    return JsonResponse("Cache Cleared")


@legacy_router.get("/start/{dataset_id}/{version_id}")
async def start(request: Request, dataset_id: str, version_id: str) -> Response:
    """Load a model, for old clients."""
    await _load(request, f"{dataset_id}/{version_id}")
    return JsonResponse({"status": 200, "message": "inference session started from local memory."})


async def _load(request: Request, model_id: str) -> None:
    work = begin_work(request)
    await while_connected(request, service_of(request).add_model(model_id, work))


async def _loaded_models(request: Request) -> Response:
    models = await service_of(request).models()
    return JsonResponse(
        {
            "models": [_description(model) for model in models],
            "total_vram_bytes": None,
            "gpu_memory_used": None,
            "gpu_memory_total": None,
            "torch_cuda_allocated": None,
            "torch_cuda_reserved": None,
            "torch_cuda_allocator_cache": None,
            "non_torch_gpu_memory": None,
        }
    )


def _description(model: ModelRow) -> dict[str, Any]:
    sized = model.task_type != Task.TEXT_RECOGNITION  # crops of any size are read
    return {
        "model_id": model.model_id,
        "task_type": TASK_NAMES.get(model.task_type, model.task_type),
        "batch_size": model.batch_size,
        "input_height": model.input_height if sized else None,
        "input_width": model.input_width if sized else None,
        "vram_bytes": None,
        "request_aliases": [],
        "request_paths": [],
    }
