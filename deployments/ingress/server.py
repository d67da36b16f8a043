"""Routes about the server itself."""

from __future__ import annotations

import uuid
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from deployments.ingress.json_codec import JsonResponse
from deployments.ingress.service_access import service_of
from deployments.observability.metrics import exposition

router = APIRouter(tags=["server"])

NAME = "Sightline"
SERVER_UUID = uuid.uuid4().hex[:8]


@cache  # reading it parses a file of the installation, which cost more than all else that `/info` does
def server_version() -> str:
    """Version of the installed distribution; `0` for a checkout that is not installed."""
    try:
        return version("sightline")
    except PackageNotFoundError:
        return "0"


@router.get("/")
async def root() -> Response:
    """Where to go from here."""
    return JsonResponse({"name": NAME, "version": server_version(), "docs": "/docs"})


@router.get("/info")
async def info() -> Response:
    """Name and version of the server."""
    return JsonResponse({"name": NAME, "version": server_version(), "uuid": SERVER_UUID})


@router.get("/healthz")
async def healthz() -> Response:
    """Whether this process answers."""
    return JsonResponse({"status": "healthy"})


@router.get("/readiness")
async def readiness(request: Request) -> Response:
    """Whether the models have answered a warm-up."""
    if await service_of(request).ready():
        return JsonResponse({"status": "ready"})
    return JsonResponse({"status": "not ready"}, status_code=503)


@router.get("/metrics")
async def metrics() -> Response:
    """Metrics of this process in the Prometheus text format."""
    return Response(exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")
