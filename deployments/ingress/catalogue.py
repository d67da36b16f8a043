"""Routes that describe the language itself: versions, schema, blocks."""

from __future__ import annotations

import gzip
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from deployments.ingress.bodies import DescribeBlocksBody
from deployments.ingress.json_codec import JsonResponse
from deployments.ingress.request_body import body_schema, check_body, read_json
from workflows.block import Block
from workflows.catalogue import definition_schema, describe_blocks, described_outputs
from workflows.definition.version import ENGINE_VERSION
from workflows.errors import BlockProblem, WorkflowSyntaxError
from workflows.registry import blocks_by_identifier

router = APIRouter(tags=["workflows"])


@router.get("/workflows/execution_engine/versions")
async def versions() -> Response:
    """Versions of the language that are served."""
    return JsonResponse({"versions": [ENGINE_VERSION]})


@router.get("/workflows/definition/schema")
async def get_definition_schema(request: Request) -> Response:
    """JSON schema of a definition."""
    return _compressible(request, {"schema": definition_schema()})


@router.get("/workflows/blocks/describe", deprecated=True)
async def get_blocks(request: Request) -> Response:
    """All blocks, for old clients."""
    return _compressible(request, describe_blocks())


@router.post("/workflows/blocks/describe", openapi_extra=body_schema(DescribeBlocksBody))
async def post_blocks(request: Request) -> Response:
    """All blocks, their schemas and how they connect."""
    check_body(await read_json(request) if await request.body() else {}, DescribeBlocksBody)
    return _compressible(request, describe_blocks())


@router.post("/workflows/blocks/dynamic_outputs")
async def dynamic_outputs(request: Request) -> Response:
    """Outputs of the one step that is the body."""
    return JsonResponse(described_outputs(_block_of(await read_json(request))))


def _block_of(step: Any) -> Block:
    declared = step.get("type") if isinstance(step, dict) else None
    block = blocks_by_identifier().get(declared) if isinstance(declared, str) else None
    if block is None:
        raise WorkflowSyntaxError(
            f"no block has the type {declared!r}; all types are listed at /workflows/blocks/describe",
            [BlockProblem(step=None, details=f"unknown type {declared!r}")],
        )
    return block


def _compressible(request: Request, content: Any) -> Response:
    response = JsonResponse(content)
    if "gzip" in request.headers.get("accept-encoding", "").lower():
        response.body = gzip.compress(response.body, compresslevel=5)
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Content-Length"] = str(len(response.body))
    response.headers["Vary"] = "Accept-Encoding"
    return response
