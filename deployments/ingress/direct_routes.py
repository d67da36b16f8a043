"""Routes called without the framework's layers, which take longer than a small workflow.

Where a route's function takes the request and parts of the path alone and gives a response, nothing is left for the
framework to do but to find it, to check the key and to answer errors. All other routes, and whatever no route takes,
go on to the framework, which knows these routes too: it describes them.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from deployments.ingress.errors import HANDLED, handled

Endpoint = Callable[..., Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class DirectRoute:
    """A route, and how its function is called.

    Attributes:
        route: as it was declared.
        takes_request: whether its function wants the request.
        is_plain: whether it can be called from here.
    """

    route: APIRoute
    takes_request: bool
    is_plain: bool

    def parts_of(self, path: str) -> dict[str, Any] | None:
        """The parts of a path that the route names; None when the path is another one's."""
        match = self.route.path_regex.match(path)
        if match is None:
            return None
        convertors = self.route.param_convertors
        return {name: convertors[name].convert(text) for name, text in match.groupdict().items()}


def direct_routes(routes: Iterable[BaseRoute]) -> Iterator[DirectRoute]:
    """What can be said of each route, in order."""
    for route in routes:
        assert isinstance(route, APIRoute)  # our routers have no others
        signature = inspect.signature(route.endpoint, eval_str=True)
        kinds = {name: parameter.annotation for name, parameter in signature.parameters.items()}
        takes_request = kinds.pop("request", None) is Request
        is_plain = (
            type(route) is APIRoute  # others wrap what they call
            and not route.dependencies
            and kinds == dict.fromkeys(route.param_convertors, str)
            and inspect.isclass(signature.return_annotation)
            and issubclass(signature.return_annotation, Response)
        )
        yield DirectRoute(route, takes_request, is_plain)


class DirectRoutesMiddleware:
    """Answers what it has a plain route for.

    Args:
        app: answers everything else.
        routes: all there are, in the order in which they are tried.
        check: lets a request through, or raises; `scope["route"]` and the parts of the path are known by then.
    """

    def __init__(self, app: ASGIApp, routes: Iterable[BaseRoute], check: Callable[[Request], Awaitable[None]]) -> None:
        self._app = app
        self._check = check
        self._by_method: dict[str, list[DirectRoute]] = {}
        for each in direct_routes(routes):
            for method in each.route.methods or ():
                self._by_method.setdefault(method, []).append(each)
        self._fixed = {
            (method, each.route.path): found
            for method, there in self._by_method.items()
            for each in there
            if not each.route.param_convertors and (found := self._search(method, each.route.path)) is not None
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        found = self._find(scope) if scope["type"] == "http" else None
        if found is None or not found[0].is_plain:
            await self._app(scope, receive, send)
            return
        each, parts = found
        scope["route"], scope["endpoint"], scope["path_params"] = each.route, each.route.endpoint, parts
        request = Request(scope, receive, send)
        endpoint: Endpoint = each.route.endpoint
        try:
            await self._check(request)
            response = await (endpoint(request, **parts) if each.takes_request else endpoint(**parts))
        except HANDLED as error:
            response = handled(request, error)
        await response(scope, receive, send)

    def _find(self, scope: Scope) -> tuple[DirectRoute, dict[str, Any]] | None:
        method, path, root = scope["method"], scope["path"], scope.get("root_path", "")
        if not path.startswith(f"{root}/"):
            return None
        path = path[len(root) :]
        return self._fixed.get((method, path)) or self._search(method, path)

    def _search(self, method: str, path: str) -> tuple[DirectRoute, dict[str, Any]] | None:
        for each in self._by_method.get(method, ()):
            parts = each.parts_of(path)
            if parts is not None:
                return each, parts
        return None
