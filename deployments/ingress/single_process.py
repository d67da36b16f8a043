"""The whole server in one process, without a cluster: `python -m deployments.ingress.single_process --port 9100`.

For trying things out and for tests. It answers exactly as the cluster does, from one process's worth of work.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from deployments.dataplane.local_backend import LocalBackend
from deployments.dataplane.service import WorkflowService
from deployments.ingress.app import create_app
from deployments.observability.logs import configure_logging
from deployments.settings import DEFAULT_TEXT_READER, IngressSettings


def create_local_app(
    models_dir: Path | None,
    settings: IngressSettings,
    *,
    text_reader_model: str = DEFAULT_TEXT_READER,
    warm: bool = True,
) -> FastAPI:
    """The application over models in this process.

    Args:
        models_dir: more model packages; None for the shipped ones alone.
        settings: what is accepted.
        text_reader_model: reads for the steps that name no other.
        warm: whether to warm the shipped models up in the background once the server runs.
    """
    backend = LocalBackend.over_directory(models_dir, text_reader_model=text_reader_model)
    service = WorkflowService(backend, settings, text_reader_model=text_reader_model)
    app = create_app(lambda: service)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        warming = asyncio.create_task(backend.warm_up()) if warm else None
        try:
            yield
        finally:
            if warming is not None:
                warming.cancel()
            service.close()
            backend.close()

    app.router.lifespan_context = lifespan
    return app


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9100)
    parser.add_argument("--models", type=Path, help="folder of further model packages")
    parser.add_argument("--workflows", type=Path, help="folder of saved definitions")
    parser.add_argument("--text-reader", default=DEFAULT_TEXT_READER, help="model that reads where none is named")
    arguments = parser.parse_args()
    configure_logging()
    app = create_local_app(
        arguments.models,
        IngressSettings(workflows_dir=arguments.workflows),
        text_reader_model=arguments.text_reader,
    )
    uvicorn.run(app, host=arguments.host, port=arguments.port, access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
