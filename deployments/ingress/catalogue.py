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
from workflows.catalogue import definition_schema, describe_blocks, described_outputs
from workflows.definition.document import parse_document
from workflows.definition.version import ENGINE_VERSION, check_version
from workflows.errors import NotSupportedExecutionEngineError
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
    body = check_body(await read_json(request, when_empty={}), DescribeBlocksBody)
    described = describe_blocks()
    if not _is_served(body.execution_engine_version):
        described = described | {"blocks": []}
    return _compressible(request, described)


def _is_served(version: str | None) -> bool:
    """Whether there are blocks for a version of the language.

    Raises:
        WorkflowDefinitionError: the text is no version.
    """
    try:
        check_version({"version": version or ENGINE_VERSION})
    except NotSupportedExecutionEngineError:
        return False
    return True


@router.post("/workflows/blocks/dynamic_outputs")
async def dynamic_outputs(request: Request) -> Response:
    """Outputs of the one step that is the body."""
    step = await read_json(request)
    alone = {"version": ENGINE_VERSION, "inputs": [], "steps": [step], "outputs": []}
    document = parse_document(alone, blocks_by_identifier(), max_steps=1)  # what it selects does not matter here
    return JsonResponse(described_outputs(document.steps[0].block))


def _compressible(request: Request, content: Any) -> Response:
    response = JsonResponse(content)
    if "gzip" in request.headers.get("accept-encoding", "").lower():
        response.body = gzip.compress(response.body, compresslevel=5)
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Content-Length"] = str(len(response.body))
    response.headers["Vary"] = "Accept-Encoding"
    return response
