"""An API server of Kubernetes over HTTP, for the kinds that the control plane knows; it fails when it is told to."""

from __future__ import annotations

import asyncio
import json
import random
import threading
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.k8s.fake_cluster.store import KINDS, Object, Refused, Store

TOKEN = "a-token"
BOOKMARK_EVERY_S = 0.5


class DroppedConnection(Exception):
    """The connection of a watch ends in the middle."""


class ApiServer:
    """One namespace; runs in a thread."""

    def __init__(self, namespace: str = "sightline", rules: list[Object] | None = None) -> None:
        self.namespace = namespace
        self.rules = rules  # of a Role; None allows everything
        self.store = Store()
        self.used: Counter[tuple[str, str, str]] = Counter()  # verb, group, resource
        self.refusals: list[str] = []
        self.faults: deque[tuple[str, str, int, dict[str, str]]] = deque()  # verb, resource, status, headers
        self.fault: Callable[[str, str], int | None] = lambda verb, resource: None
        self.services: Callable[[str, int, str], Any] = lambda service, port, path: None
        self._drop = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._events: set[asyncio.Event] = set()
        self.store.listeners.append(self._wake)
        one = "/{plural}/{name}"
        paths = ["/apis/{group}/{version}/namespaces/{namespace}", "/api/{version}/namespaces/{namespace}"]
        methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        routes = [
            Route(path + rest, self._answer, methods=methods)
            for path in paths
            for rest in ("/{plural}", one, one + "/{sub}")
        ]
        routes.append(
            Route("/api/v1/namespaces/{namespace}/services/{service}:{port:int}/proxy/{path:path}", self._service)
        )
        config = uvicorn.Config(Starlette(routes=routes), port=0, log_level="critical", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> ApiServer:
        self._thread.start()
        while not self._server.started:
            self._thread.join(0.01)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(10)

    def drop_watches(self) -> None:
        """Cut every watch where it is."""
        self._drop += 1
        self._wake()

    def allowed(self, verb: str, group: str, resource: str) -> bool:
        return self.rules is None or any(
            verb in rule["verbs"] and group in rule["apiGroups"] and resource in rule["resources"]
            for rule in self.rules
        )

    def _wake(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(lambda: [event.set() for event in self._events])

    async def _service(self, request: Request) -> Response:
        """What a Service of the cluster leads to, by way of the API server."""
        found = self.services(*(request.path_params[key] for key in ("service", "port", "path")))
        return Response(status_code=503) if found is None else JSONResponse(found)

    async def _answer(self, request: Request) -> Response:
        self._loop = asyncio.get_running_loop()
        try:
            return await self._answered(request)
        except Refused as refusal:
            if refusal.code in (400, 403, 422):
                self.refusals.append(refusal.message)
            return _status(refusal)

    async def _answered(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            raise Refused(401, "Unauthorized", "Unauthorized")
        given = request.path_params
        plural, name, group = given["plural"], given.get("name"), given.get("group", "")
        verb = _verb(request, name)
        resource = plural + (f"/{given['sub']}" if "sub" in given else "")
        api_version = f"{group}/{given['version']}" if group else given["version"]
        if plural not in KINDS or KINDS[plural][0] != api_version:
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        self.used[verb, group, resource] += 1
        self._fail(verb, plural)
        if given["namespace"] != self.namespace or not self.allowed(verb, group, resource):
            raise Refused(403, "Forbidden", f"cannot {verb} resource {resource!r} in API group {group!r}")
        body = json.loads(await request.body() or b"{}")
        status = given.get("sub") == "status"
        match verb:
            case "list":
                items, version = self.store.all(plural, _chosen(request))
                metadata = {"resourceVersion": str(version)}
                kind = KINDS[plural][1] + "List"
                return JSONResponse({"apiVersion": api_version, "kind": kind, "metadata": metadata, "items": items})
            case "watch":
                return StreamingResponse(self._events_of(request, plural), media_type="application/json")
            case "get":
                return JSONResponse(self.store.get(plural, name))
            case "create":
                return JSONResponse(self.store.create(plural, body, namespace=self.namespace), status_code=201)
            case "patch":
                if request.headers.get("content-type") != "application/merge-patch+json":
                    raise Refused(415, "UnsupportedMediaType", "merge patches only")
                return JSONResponse(self.store.patch(plural, name, body, status=status))
            case "update":
                return JSONResponse(self.store.replace(plural, name, body, status=status))
            case _:
                uid = (body.get("preconditions") or {}).get("uid")
                policy = body.get("propagationPolicy") or "Background"
                return JSONResponse(self.store.delete(plural, name, uid=uid, policy=policy))

    def _fail(self, verb: str, plural: str) -> None:
        code, headers = self.fault(verb, plural), {}
        if self.faults and self.faults[0][:2] == (verb, plural):
            _, _, code, headers = self.faults.popleft()
        if code is not None:
            raise _Fault(code, headers)

    async def _events_of(self, request: Request, plural: str) -> AsyncIterator[bytes]:
        chosen = _chosen(request)
        version = int(request.query_params.get("resourceVersion") or self.store.version)
        drops = self._drop
        ends_s = self._now_s() + float(request.query_params.get("timeoutSeconds") or 60)
        bookmarks = request.query_params.get("allowWatchBookmarks") == "true"
        happened = asyncio.Event()
        self._events.add(happened)
        try:
            while (left_s := ends_s - self._now_s()) > 0 and not self._server.should_exit:
                happened.clear()
                if self._drop != drops:
                    raise DroppedConnection
                now = self.store.version
                try:
                    found = list(self.store.since(version, plural, chosen))
                except Refused as refusal:
                    gone = _body(refusal.code, refusal.reason, refusal.message)
                    yield json.dumps({"type": "ERROR", "object": gone}).encode() + b"\n"
                    return
                for kind, item in found:
                    yield json.dumps({"type": kind, "object": item}).encode() + b"\n"
                version = max([version, now, *(int(item["metadata"]["resourceVersion"]) for _, item in found)])
                try:
                    await asyncio.wait_for(happened.wait(), min(left_s, BOOKMARK_EVERY_S))
                except TimeoutError:
                    if bookmarks:
                        api_version, word, _ = KINDS[plural]
                        metadata = {"resourceVersion": str(version), "creationTimestamp": None}
                        item = {"apiVersion": api_version, "kind": word, "metadata": metadata}
                        yield json.dumps({"type": "BOOKMARK", "object": item}).encode() + b"\n"
        finally:
            self._events.discard(happened)

    @staticmethod
    def _now_s() -> float:
        return asyncio.get_running_loop().time()


class _Fault(Refused):
    def __init__(self, code: int, headers: dict[str, str]) -> None:
        reasons = {403: "Forbidden", 409: "Conflict", 429: "TooManyRequests", 500: "InternalError"}
        super().__init__(code, reasons.get(code, "ServiceUnavailable"), "on purpose")
        self.headers = headers


def _verb(request: Request, name: str | None) -> str:
    if request.method == "GET":
        if name is not None:
            return "get"
        return "watch" if request.query_params.get("watch") in ("true", "1") else "list"
    return {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}[request.method]


def _chosen(request: Request) -> Callable[[Object], bool]:
    """Equality and existence of labels, equality of fields."""
    labels = [part.split("=", 1) for part in (request.query_params.get("labelSelector") or "").split(",") if part]
    fields = [part.split("=", 1) for part in (request.query_params.get("fieldSelector") or "").split(",") if part]

    def chosen(item: Object) -> bool:
        own = item["metadata"].get("labels") or {}
        if not all(
            part[0] in own and own[part[0]] == part[-1] if len(part) == 2 else part[0] in own for part in labels
        ):
            return False
        return all(str(item.get(key, "")) == wanted for key, wanted in fields)

    return chosen


def _body(code: int, reason: str, message: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Status",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message,
    }


def _status(refusal: Refused) -> Response:
    body = _body(refusal.code, refusal.reason, refusal.message)
    return JSONResponse(body, status_code=refusal.code, headers=getattr(refusal, "headers", None))


def flaky(share: float, seed: int) -> Callable[[str, str], int | None]:
    """Fails a share of all calls, each in another way."""
    dice = random.Random(seed)

    def fault(verb: str, resource: str) -> int | None:
        return dice.choice([500, 503, 409, 403]) if dice.random() < share else None

    return fault
