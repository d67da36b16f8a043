"""Routes that run, check and describe workflows."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from deployments.errors import InvalidRequestError
from deployments.ingress.bodies import (
    DescribeInterfaceBody,
    DescribeSavedInterfaceBody,
    InlineWorkflowBody,
    SavedWorkflowBody,
    WorkflowRunBody,
)
from deployments.ingress.exchange import exchange_of, while_connected
from deployments.ingress.json_codec import JsonResponse
from deployments.ingress.request_body import body_schema, read_body, read_object
from deployments.ingress.service_access import begin_work, key_of, service_of
from workflows.errors import WorkflowSyntaxError

router = APIRouter(tags=["workflows"])

INLINE = body_schema(InlineWorkflowBody)
SAVED = body_schema(SavedWorkflowBody)


@router.post("/workflows/run", openapi_extra=INLINE)
@router.post("/infer/workflows", openapi_extra=INLINE, deprecated=True)
async def run_inline(request: Request) -> Response:
    """Run the definition in the body."""
    body = await read_body(request, InlineWorkflowBody)
    return await _run(request, body.specification, body)


@router.post("/{workspace}/workflows/{workflow_id}", openapi_extra=SAVED)
@router.post("/infer/workflows/{workspace}/{workflow_id}", openapi_extra=SAVED, deprecated=True)
async def run_saved(request: Request, workspace: str, workflow_id: str) -> Response:
    """Run a saved definition."""
    body = await read_body(request, SavedWorkflowBody)
    document = await _saved(request, workspace, workflow_id, body.workflow_version_id, use_cache=body.use_cache)
    exchange_of(request).workflow_id = workflow_id
    return await _run(request, document, body)


@router.get("/{workspace}/workflows/{workflow_id}")
async def saved(request: Request, workspace: str, workflow_id: str, workflow_version: str | None = None) -> Response:
    """A saved definition, as servers of the vendor's kind fetch it."""
    document = await _saved(request, workspace, workflow_id, workflow_version, use_cache=False)
    config = orjson.dumps({"specification": document}).decode()
    return JsonResponse({"workflow": {"id": workflow_id, "config": config}})


async def _saved(
    request: Request, workspace: str, workflow_id: str, version: str | None, *, use_cache: bool
) -> dict[str, Any]:
    return await service_of(request).saved_workflow(workspace, workflow_id, version, use_cache=use_cache)


async def _run(request: Request, document: dict[str, Any], body: WorkflowRunBody) -> Response:
    service = service_of(request)
    work = begin_work(request)
    run = service.run_workflow(document, body.inputs, excluded_fields=body.excluded_fields or [], work=work)
    outputs = await while_connected(request, run)
    return JsonResponse({"outputs": outputs, "profiler_trace": []})


@router.post("/workflows/validate")
async def validate(request: Request) -> Response:
    """Check the definition that is the body; models are not looked at."""
    document = await read_object(request)
    if "specification" in document and "version" not in document:
        raise WorkflowSyntaxError(
            'the body of this route is the definition itself; send what stands under "specification" alone', []
        )
    service_of(request).compile(document)
    return JsonResponse({"status": "ok"})


@router.post("/workflows/describe_interface", openapi_extra=body_schema(DescribeInterfaceBody))
async def describe_interface(request: Request) -> Response:
    """Kinds of the inputs and outputs of the definition in the body."""
    body = await read_body(request, DescribeInterfaceBody)
    _demand_key(request, body.api_key)
    return JsonResponse(service_of(request).describe_interface(body.specification))


@router.post(
    "/{workspace}/workflows/{workflow_id}/describe_interface", openapi_extra=body_schema(DescribeSavedInterfaceBody)
)
async def describe_saved_interface(request: Request, workspace: str, workflow_id: str) -> Response:
    """Kinds of the inputs and outputs of a saved definition."""
    body = await read_body(request, DescribeSavedInterfaceBody)
    _demand_key(request, body.api_key)
    document = await _saved(request, workspace, workflow_id, body.workflow_version_id, use_cache=body.use_cache)
    exchange_of(request).workflow_id = workflow_id
    return JsonResponse(service_of(request).describe_interface(document))


def _demand_key(request: Request, body_key: str | None) -> None:
    if key_of(request, body_key) is None:
        raise InvalidRequestError(
            "Required Roboflow API key is missing: send any text as api_key in the body, or as a bearer token"
        )
