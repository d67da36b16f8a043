"""Routes that describe the language: versions, schema, blocks."""

from __future__ import annotations

import gzip
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from deployments.ingress.bodies import DescribeBlocksBody
from deployments.ingress.json_codec import JsonResponse
from deployments.ingress.request_body import body_schema, check_body, read_json
from deployments.ingress.service_access import service_of

router = APIRouter(tags=["workflows"])


@router.get("/workflows/execution_engine/versions")
async def versions(request: Request) -> Response:
    """Versions of the language that are served."""
    return JsonResponse({"versions": service_of(request).engine_versions()})


@router.get("/workflows/definition/schema")
async def definition_schema(request: Request) -> Response:
    """JSON schema of a definition."""
    return _compressible(request, {"schema": service_of(request).definition_schema()})


@router.get("/workflows/blocks/describe", deprecated=True)
async def describe_blocks_get(request: Request) -> Response:
    """All blocks, for old clients."""
    return _compressible(request, service_of(request).describe_blocks())


@router.post("/workflows/blocks/describe", openapi_extra=body_schema(DescribeBlocksBody))
async def describe_blocks(request: Request) -> Response:
    """All blocks, their schemas and how they connect."""
    body = check_body(await read_json(request) if await request.body() else {}, DescribeBlocksBody)
    return _compressible(request, service_of(request).describe_blocks(body.execution_engine_version))


@router.post("/workflows/blocks/dynamic_outputs")
async def dynamic_outputs(request: Request) -> Response:
    """Outputs of the one step that is the body."""
    return JsonResponse(service_of(request).outputs_of_step(await read_json(request)))


def _compressible(request: Request, content: Any) -> Response:
    response = JsonResponse(content)
    if "gzip" in request.headers.get("accept-encoding", "").lower():
        response.body = gzip.compress(response.body, compresslevel=5)
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Content-Length"] = str(len(response.body))
    response.headers["Vary"] = "Accept-Encoding"
    return response
