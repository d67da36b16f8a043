"""The API of Kubernetes as the control plane speaks to it: one namespace, a few kinds, plain documents.

It goes through the official client, which knows certificates, tokens and how they are renewed. Everything here blocks.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import urllib3.exceptions
from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException

from deployments.control.errors import ControlError, PlatformError
from deployments.kubernetes.objects import Object

TIMEOUT_S = (5.0, 20.0)
"""To connect, and for an answer."""

WATCH_GRACE_S = 10.0
"""Longer than the server was told to keep a watch open: then the connection is dead."""

MAX_REASON = 500


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object, under the names that paths and Roles have."""

    group: str
    version: str
    plural: str

    def path(self, namespace: str, name: str = "") -> str:
        """Where its objects are."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        return f"{root}/namespaces/{namespace}/{self.plural}" + (f"/{name}" if name else "")


RAY_SERVICES = Kind("ray.io", "v1", "rayservices")
NETWORK_POLICIES = Kind("networking.k8s.io", "v1", "networkpolicies")
DISRUPTION_BUDGETS = Kind("policy", "v1", "poddisruptionbudgets")
HTTP_ROUTES = Kind("gateway.networking.k8s.io", "v1", "httproutes")
INGRESSES = Kind("networking.k8s.io", "v1", "ingresses")
PODS = Kind("", "v1", "pods")
EVENTS = Kind("", "v1", "events")


class NotThereError(ControlError):
    """There is no such object."""


class AlreadyThereError(ControlError):
    """An object has this name already."""


class ConflictError(ControlError):
    """The object was changed since it was read."""


class HistoryGoneError(ControlError):
    """What happened since then is no longer known: list anew."""


class InvalidObjectError(ControlError):
    """The API server refuses what the object says, and would again."""


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a watch: ADDED, MODIFIED, DELETED or BOOKMARK, and the object."""

    type: str
    object: Object


class ClusterApi:
    """Kinds of one namespace."""

    def __init__(self, api_client: Any, namespace: str, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        """Nothing is asked yet.

        Args:
            api_client: an ApiClient of the official client; see `connect`.
            namespace: where all objects are.
            monotonic_s: a clock.
        """
        self._client = api_client
        self._namespace = namespace
        self._monotonic_s = monotonic_s
        self._not_before_s = 0.0

    def all(self, kind: Kind, labels: str = "", fields: str = "") -> tuple[list[Object], str]:
        """The objects that selectors choose, and the version of which that is true."""
        found = self._ask("GET", kind.path(self._namespace), query=_selectors(labels, fields))
        return found["items"], found["metadata"]["resourceVersion"]

    def watch(self, kind: Kind, since: str, *, lasts_s: float, labels: str = "", fields: str = "") -> Iterator[Change]:
        """What happens from a version on, until the server ends the watch.

        Args:
            kind: of what.
            since: `resourceVersion` of a list, or of the last object seen.
            lasts_s: when the server is to end it.
            labels: selector.
            fields: selector.

        Raises:
            HistoryGoneError: `since` is too long ago.
            PlatformError: the connection ended, or never began.
        """
        path = kind.path(self._namespace)
        query = [*_selectors(labels, fields), ("resourceVersion", since), ("allowWatchBookmarks", "true")]

        def opened(**options: Any) -> Any:
            more = [("watch", "true"), ("timeoutSeconds", str(int(options["timeout_seconds"])))]
            return self._call("GET", path, [*query, *more], timeout_s=(TIMEOUT_S[0], lasts_s + WATCH_GRACE_S))

        try:
            for line in watch.Watch().stream(opened, timeout_seconds=lasts_s):
                if line is not None:
                    yield Change(line["type"], line["raw_object"])
        except ApiException as error:
            raise self._translated(error, "watch", path) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise PlatformError(f"the watch of {kind.plural} was cut: {type(error).__name__}") from error

    def get(self, kind: Kind, name: str) -> Object:
        """An object.

        Raises:
            NotThereError: there is none.
        """
        found: Object = self._ask("GET", kind.path(self._namespace, name))
        return found

    def create(self, kind: Kind, item: Object) -> Object:
        """A new object.

        Raises:
            AlreadyThereError: one has its name.
            InvalidObjectError: it says something wrong.
        """
        made: Object = self._ask("POST", kind.path(self._namespace), body=item)
        return made

    def patch(self, kind: Kind, name: str, changes: Mapping[str, Any]) -> Object:
        """An object, changed by a merge patch; with a `resourceVersion` in it only if it is still that one.

        Raises:
            NotThereError: there is none.
            ConflictError: it is no longer that one.
            InvalidObjectError: what it would be is wrong.
        """
        changed: Object = self._ask("PATCH", kind.path(self._namespace, name), body=changes)
        return changed

    def delete(self, kind: Kind, name: str, uid: str) -> None:
        """Have an object removed, after all that belongs to it; nothing when it is gone or another one by now."""
        options = {"propagationPolicy": "Foreground", "preconditions": {"uid": uid}}
        try:
            self._ask("DELETE", kind.path(self._namespace, name), body=options)
        except (NotThereError, ConflictError):
            return

    def ask_service(self, service: str, port: int, path: str) -> bytes | None:
        """What a Service answers with status 200, through the API server: for those who are not in the cluster."""
        proxied = f"/api/v1/namespaces/{self._namespace}/services/{service}:{port}/proxy{path}"
        try:
            return bytes(self._call("GET", proxied, []).data)
        except (ApiException, PlatformError, urllib3.exceptions.HTTPError, OSError):
            return None

    def _ask(
        self,
        method: str,
        path: str,
        query: list[tuple[str, str]] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            return json.loads(self._call(method, path, query or [], body=body).data)
        except ApiException as error:
            raise self._translated(error, method, path) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise PlatformError(f"the API server of Kubernetes does not answer: {type(error).__name__}") from error
        except ValueError as error:
            raise PlatformError(f"the API server of Kubernetes answers {path} with what is no JSON") from error

    def _call(
        self,
        method: str,
        path: str,
        query: list[tuple[str, str]],
        *,
        body: Mapping[str, Any] | None = None,
        timeout_s: tuple[float, float] = TIMEOUT_S,
    ) -> Any:
        wait_s = self._not_before_s - self._monotonic_s()
        if wait_s > 0:
            raise PlatformError(f"the API server of Kubernetes has too much to do; asked again in {wait_s:.0f} s")
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        return self._client.call_api(
            path,
            method,
            query_params=query,
            header_params={"Accept": "application/json", "Content-Type": kind},
            body=None if body is None else dict(body),
            auth_settings=["BearerToken"],
            _preload_content=False,
            _return_http_data_only=True,
            _request_timeout=timeout_s,
        )

    def _translated(self, error: ApiException, verb: str, path: str) -> ControlError:
        status = _status(error)
        message = str(status.get("message") or error.reason or "")[:MAX_REASON]
        said = f"{verb} {path}: {error.status} {message}"
        if error.status == HTTPStatus.NOT_FOUND:
            return NotThereError(said)
        if error.status == HTTPStatus.CONFLICT:
            return AlreadyThereError(said) if status.get("reason") == "AlreadyExists" else ConflictError(said)
        if error.status == HTTPStatus.GONE:
            return HistoryGoneError(said)
        if error.status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY):
            return InvalidObjectError(message)
        if error.status == HTTPStatus.FORBIDDEN:
            return PlatformError(f"the control plane's Role does not allow this: {said}")
        if error.status == HTTPStatus.TOO_MANY_REQUESTS:
            self._not_before_s = self._monotonic_s() + _retry_after_s(error)
        return PlatformError(f"the API server of Kubernetes refuses: {said}")


def connect(namespace: str) -> tuple[ClusterApi, bool]:
    """The cluster that this process runs in, else the one of the kubeconfig; and whether it runs in it.

    Raises:
        PlatformError: there is neither.
    """
    settings = client.Configuration()
    try:
        config.load_incluster_config(client_configuration=settings)
        inside = True
    except config.ConfigException:
        inside = False
        try:
            config.load_kube_config(client_configuration=settings)
        except (config.ConfigException, OSError) as error:
            raise PlatformError(
                "no cluster: this process runs in none, and there is no kubeconfig that leads to one"
            ) from error
    return ClusterApi(api_client(settings), namespace), inside


def api_client(settings: Any) -> Any:
    """An ApiClient of the official client that tries nothing twice: the reconciler does."""
    settings.retries = False
    return client.ApiClient(settings)


def _selectors(labels: str, fields: str) -> list[tuple[str, str]]:
    return [(name, text) for name, text in (("labelSelector", labels), ("fieldSelector", fields)) if text]


def _status(error: ApiException) -> Mapping[str, Any]:
    try:
        status = json.loads(error.body or "{}")
    except ValueError:
        return {}
    return status if isinstance(status, dict) else {}


def _retry_after_s(error: ApiException) -> float:
    try:
        return min(float((error.headers or {}).get("Retry-After", 1)), 60.0)
    except ValueError:
        return 1.0
