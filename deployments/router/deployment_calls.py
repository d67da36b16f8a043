"""Calls to the replicas of one deployment: directly to those on this machine, over Serve's handle to all others.

Serve says which replicas there are, and gets the calls for which none is here or none has started yet. Whichever way
a call goes, the same rule chooses its replica, and counts it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from ray.exceptions import RayActorError, WorkerCrashedError
from ray.serve.handle import DeploymentHandle

from deployments.dataplane.call_socket import CallConnection, ConnectionLostError
from deployments.dataplane.messages import CallAnswer
from deployments.dataplane.replica_sockets import path_to
from deployments.observability import metrics
from deployments.router.replicas_seen import ReplicasSeen, replicas_seen_here

LOST_ERRORS = (RayActorError, WorkerCrashedError, ConnectionLostError)
"""What a call raises when its replica died, or could not be reached any more."""

OVER_SOCKET, OVER_HANDLE = (metrics.replica_calls_total.labels(way) for way in ("socket", "handle"))

LOST_PAUSE_S = 0.05
"""Time after a lost call before it may be sent again: replicas die together, and by then all connections say so."""


class DeploymentCalls:
    """Sends calls to replicas that have nothing better to do.

    Attributes:
        direct: whether calls may go past Serve.
    """

    def __init__(self, handle: DeploymentHandle[Any], path_of: Callable[[str, str], Path | None] = path_to) -> None:
        """Nothing is asked yet.

        Args:
            handle: to the deployment.
            path_of: given the id of a replica and that of its node, the socket it listens at.
        """
        self.direct = True
        self._path_of = path_of
        self._handle = handle
        self._methods: dict[str, DeploymentHandle[Any]] = {}
        self._connections: dict[str, asyncio.Task[CallConnection | None]] = {}

    async def answer(self, method: str, call: Any) -> Any:
        """What a replica answers to a call.

        Raises:
            Exception: what its method raised, or one of `LOST_ERRORS`.
        """
        chosen = await self._chosen(call) if self.direct else None
        if chosen is None:
            OVER_HANDLE.inc()
            return await self._over_handle(method, call)
        OVER_SOCKET.inc()
        replica_id, connection = chosen
        self._seen.calls.began(replica_id)
        try:
            return await connection.call(method, call)
        except ConnectionLostError:
            self._seen.calls.lost(replica_id, time.monotonic())
            await asyncio.sleep(LOST_PAUSE_S)
            raise
        finally:
            self._seen.calls.ended(replica_id)

    @cached_property
    def _seen(self) -> ReplicasSeen:
        return replicas_seen_here(self._handle.deployment_id.name, self._handle.deployment_id.app_name)

    async def _over_handle(self, method: str, call: Any) -> CallAnswer[Any]:
        if method not in self._methods:  # kept, since each look at a handle for a method makes a handle
            self._methods[method] = getattr(self._handle, method)
        response = self._methods[method].remote(call)
        try:
            answer: CallAnswer[Any] = await response
        except asyncio.CancelledError:
            response.cancel()  # type: ignore[no-untyped-call]  # outside a request's context nobody else tells it
            raise
        return answer

    async def _chosen(self, call: Any) -> tuple[str, CallConnection] | None:
        """The replica that a call goes to, and the connection to it; None where it has to go over the handle."""
        while (replica_id := self._seen.first(call, time.monotonic())) is not None:
            connecting = self._connections.get(replica_id) or self._start_connecting(replica_id)
            if not connecting.done():
                await asyncio.shield(connecting)
                continue  # other calls may have begun meanwhile
            connection = connecting.result()
            if connection is None:
                return None
            if connection.is_open:
                return replica_id, connection
            self._seen.calls.lost(replica_id, time.monotonic())
            del self._connections[replica_id]  # should it be alive, it is connected to again
        return None

    def _start_connecting(self, replica_id: str) -> asyncio.Task[CallConnection | None]:
        for gone in self._connections.keys() - self._seen.node_ids.keys():
            del self._connections[gone]  # its replica closes it, or has
        connecting = asyncio.get_running_loop().create_task(self._connect(replica_id, self._seen.node_ids[replica_id]))
        self._connections[replica_id] = connecting
        return connecting

    async def _connect(self, replica_id: str, node_id: str) -> CallConnection | None:
        """A connection to a replica; None to one that is not here."""
        path = self._path_of(replica_id, node_id)
        if path is None:
            return None
        try:
            _, connection = await asyncio.get_running_loop().create_unix_connection(CallConnection, str(path))
        except OSError:  # it has gone, or listens to nobody
            return None
        return connection
