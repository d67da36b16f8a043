"""The HTTP application: routes over a service that somebody else provides."""

from __future__ import annotations

from fastapi import Depends, FastAPI
from starlette.middleware.cors import CORSMiddleware

from deployments.ingress import catalogue, legacy, model_inference, models, ocr, server, workflows
from deployments.ingress.direct_routes import DirectRoutesMiddleware
from deployments.ingress.errors import add_error_handlers
from deployments.ingress.exchange import ExchangeMiddleware
from deployments.ingress.headers import EXPOSED
from deployments.ingress.key_policy import check_key
from deployments.ingress.kserve import routes as kserve
from deployments.ingress.service_access import ServiceProvider

ROUTERS = (
    workflows.router,  # what is asked most comes first: routes are tried in turn
    model_inference.router,
    ocr.router,
    kserve.router,
    server.router,
    catalogue.router,
    models.router,
    models.legacy_router,
    legacy.router,  # last: it takes every path of two segments
)


def create_app(service_provider: ServiceProvider) -> FastAPI:
    """The application.

    Args:
        service_provider: gives the service at each request; in a replica it may exist only after the application.
    """
    app = FastAPI(title=server.NAME, version=server.server_version(), dependencies=[Depends(check_key)])
    app.state.service_provider = service_provider
    add_error_handlers(app)
    for router in ROUTERS:
        app.include_router(router)
    app.add_middleware(
        DirectRoutesMiddleware, routes=[route for router in ROUTERS for route in router.routes], check=check_key
    )
    app.add_middleware(
        ExchangeMiddleware,
        settings=lambda: service_provider().settings,
        admission=lambda: service_provider().admission,
    )
    app.add_middleware(
        CORSMiddleware,
        allow_origin_regex=".*",
        allow_credentials=True,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=list(EXPOSED),
    )
    return app
