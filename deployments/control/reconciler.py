"""The loop that makes endpoints what their owners want: look, decide, tell the edge, note it down, act.

That order is what a kill may interrupt anywhere. The edge stops sending requests before anything is stopped, and sends
them before anybody is told `ready`; what is noted is what is so; and what was not carried out is found missing by the
next look.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

from sqlalchemy.orm import Session

from deployments.control.decision import STARTS, Call, CallKind, Decision, decide, impossible, waiting
from deployments.control.endpoint import Endpoint
from deployments.control.errors import PlatformError, UnknownMachineTypeError
from deployments.control.machine_types import MachineTypes
from deployments.control.platform import EndpointPlatform, EndpointSpec, Observation
from deployments.control.room import find_room
from deployments.errors import ServingError
from deployments.storage.database import Database
from deployments.storage.endpoints import change_wanted, get_endpoint, list_endpoints, note_replicas, transition
from deployments.storage.tables import ActualState, DesiredState
from deployments.storage.usage import WRITTEN_EVERY_S, end_usage, observe_replicas, still_running

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5
LOOK_AT_NOTHING_EVERY_S = 5.0
"""While there are no endpoints: looks cost a few hundredths of a core, and whoever makes one hurries the loop."""

CHANGE_KNOWN_WITHIN_S = 3.0

RESTING = (ActualState.PAUSED, ActualState.EXPIRED, ActualState.DELETED, ActualState.FAILED)


class Edge(Protocol):
    """Where requests are told where to go."""

    def lead(self, targets: Mapping[str, str]) -> None:
        """Have exactly these hosts: subdomain or custom domain -> path in front of requests, or `=state`."""


class Reconciler:
    """One at a time for a database and a platform."""

    def __init__(
        self,
        database: Database,
        platform: EndpointPlatform,
        edge: Edge,
        machine_types: MachineTypes,
        *,
        clock: Callable[[], float] = time.time,
        start_timeout_s: float = 600.0,
    ) -> None:
        """Nothing is done yet.

        Args:
            database: what is wanted.
            platform: what is there.
            edge: told where requests go.
            machine_types: those there are.
            clock: seconds since 1970.
            start_timeout_s: how long a start may take.
        """
        self._database = database
        self._platform = platform
        self._edge = edge
        self._machine_types = machine_types
        self._clock = clock
        self._start_timeout_s = start_timeout_s
        self._hurry = threading.Event()
        self._rounds = threading.Condition()
        self._seen: dict[str, tuple[frozenset[str], float]] = {}  # endpoint -> replicas at the last look, and when
        self._written_unix_s = 0.0
        self._since_unix_s: float | None = None  # the first look
        self._begun = 0
        self._told = 0
        self._stopping = False

    def run(self) -> None:
        """Go round until `stop`; a failure is logged, and the next round tries again."""
        told = ""
        while not self._stopping:
            self._hurry.clear()
            pause_s = LOOK_EVERY_S
            try:
                if not self.round():
                    pause_s = LOOK_AT_NOTHING_EVERY_S
                told = ""
            except ServingError as error:
                if error.message != told:
                    logger.warning("endpoints are not looked after", extra={"error": error.message})
                told = error.message
            self._hurry.wait(pause_s)
        with suppress(ServingError):
            self._write_seen()

    def changed(self) -> None:
        """Something else is wanted: look now. Returns when the edge knows of it, or after a moment."""
        with self._rounds:
            awaited = self._begun + 1
            self._hurry.set()
            self._rounds.wait_for(lambda: self._told >= awaited, timeout=CHANGE_KNOWN_WITHIN_S)

    def stop(self) -> None:
        """End after the round under way."""
        self._stopping = True
        self._hurry.set()

    def round(self) -> bool:
        """Look once, and do what is to be done; gives whether there was anything to look after.

        Raises:
            PlatformError: the platform does not answer.
            StorageError: the database does not.
        """
        with self._rounds:
            self._begun += 1
            number = self._begun
        with self._database.reading() as session:
            endpoints = [Endpoint.of(row) for row in list_endpoints(session)]
        observed = self._platform.observe()
        now_unix_s = self._clock()
        if self._since_unix_s is None:
            self._since_unix_s = now_unix_s
        specs = {endpoint.endpoint_id: self._spec(endpoint) for endpoint in endpoints}
        decisions = {
            endpoint.endpoint_id: decide(
                endpoint,
                specs[endpoint.endpoint_id],
                observed.get(endpoint.subdomain),
                now_unix_s,
                start_timeout_s=self._start_timeout_s,
                since_unix_s=self._since_unix_s,
            )
            for endpoint in endpoints
        }
        evicted = self._give_room(endpoints, specs, decisions, observed)
        self._edge.lead(targets(endpoints, decisions))
        with self._rounds:
            self._told = number
            self._rounds.notify_all()
        for endpoint in endpoints:
            self._note(endpoint, decisions[endpoint.endpoint_id], observed.get(endpoint.subdomain), now_unix_s)
        self._seen = {endpoint_id: seen for endpoint_id, seen in self._seen.items() if endpoint_id in specs}
        if not 0 <= now_unix_s - self._written_unix_s < WRITTEN_EVERY_S:
            self._write_seen()
            self._written_unix_s = now_unix_s
        for endpoint_id, reason in evicted.items():
            self._evict(endpoint_id, reason, now_unix_s)
        for endpoint in endpoints:
            for call in decisions[endpoint.endpoint_id].calls:
                self._carry_out(call, endpoint, specs[endpoint.endpoint_id])
        known = {endpoint.subdomain for endpoint in endpoints}
        for name in observed.keys() - known:
            self._platform.delete(name)
        return bool(endpoints or observed)

    def _spec(self, endpoint: Endpoint) -> EndpointSpec | None:
        try:
            return endpoint.spec(self._machine_types.named(endpoint.machine_type))
        except UnknownMachineTypeError:
            return None

    def _give_room(
        self,
        endpoints: list[Endpoint],
        specs: Mapping[str, EndpointSpec | None],
        decisions: dict[str, Decision],
        observed: Mapping[str, Observation],
    ) -> dict[str, str]:
        """Let those start that there is room for; gives who is to be paused for it, and why."""
        evicted: dict[str, str] = {}
        starting = [
            (endpoint, spec)
            for endpoint in endpoints
            if (spec := specs[endpoint.endpoint_id]) is not None
            and any(call.kind in STARTS for call in decisions[endpoint.endpoint_id].calls)
        ]
        if not starting:
            return evicted
        capacity = self._platform.capacity()
        running = [
            (endpoint, spec)
            for endpoint in endpoints
            if (spec := specs[endpoint.endpoint_id]) is not None and endpoint.subdomain in observed
            for _ in observed[endpoint.subdomain].revisions
        ]
        for endpoint, spec in starting:
            decision = decisions[endpoint.endpoint_id]
            if decision.calls == (Call(CallKind.UPDATE),) and self._is_resize(spec, observed.get(spec.name)):
                continue
            reason = self._platform.impossible(spec)
            if reason is not None:
                decisions[endpoint.endpoint_id] = impossible(endpoint, decision, spec, reason)
                continue
            if capacity is None:
                continue
            room = find_room(spec, running, capacity)
            if not room.ever:
                decisions[endpoint.endpoint_id] = impossible(endpoint, decision, spec, room.reason)
            elif room.reason:
                decisions[endpoint.endpoint_id] = waiting(decision, room.reason)
                for other in endpoints:
                    if other.endpoint_id in room.evicted:
                        # The names of another workspace are not told.
                        who = endpoint.name if other.workspace == endpoint.workspace else "an endpoint"
                        evicted[other.endpoint_id] = f"evicted: {who} in production needs the room"
            else:
                running.append((endpoint, spec))
        return evicted

    @staticmethod
    def _is_resize(spec: EndpointSpec, observation: Observation | None) -> bool:
        return observation is not None and spec.revision in observation.revisions

    def _note(self, endpoint: Endpoint, decision: Decision, observation: Observation | None, now_unix_s: float) -> None:
        rests = decision.actual in RESTING
        there = _replica_names(observation)
        running = frozenset() if rests else frozenset(there)
        before, seen_unix_s = self._seen.get(endpoint.endpoint_id, (None, None))
        changed = (decision.actual, decision.detail) != (endpoint.actual, endpoint.detail)
        document = _changed_document(endpoint, decision, now_unix_s)
        if (
            changed
            or running != before
            or decision.num_replicas != endpoint.num_replicas
            or decision.desired is not None
            or document is not None
        ):
            with self._database.writing() as session:
                if get_endpoint(session, endpoint.endpoint_id).generation != endpoint.generation:
                    return  # its owner was faster; the next round sees what is wanted now
                self._note_state(session, endpoint, decision, changed, now_unix_s)
                if decision.desired is not None or document is not None:
                    change_wanted(
                        session, endpoint.endpoint_id, now_unix_s=now_unix_s, desired=decision.desired, spec=document
                    )
                observe_replicas(session, endpoint.endpoint_id, there, now_unix_s=now_unix_s, seen_unix_s=seen_unix_s)
                if rests:
                    end_usage(session, endpoint.endpoint_id, now_unix_s=now_unix_s)
        self._seen[endpoint.endpoint_id] = (running, now_unix_s)

    @staticmethod
    def _note_state(session: Session, endpoint: Endpoint, decision: Decision, changed: bool, now_unix_s: float) -> None:
        if changed:
            transition(
                session,
                endpoint.endpoint_id,
                seen=(endpoint.actual,),
                to=decision.actual,
                now_unix_s=now_unix_s,
                detail=decision.detail,
                num_replicas=decision.num_replicas,
                observed_generation=endpoint.generation,
            )
        elif decision.num_replicas != endpoint.num_replicas:
            note_replicas(session, endpoint.endpoint_id, decision.num_replicas)

    def _write_seen(self) -> None:
        """Write down when the replicas that run were last seen, of all endpoints at once; nothing when none runs."""
        running = {endpoint_id: at_unix_s for endpoint_id, (names, at_unix_s) in self._seen.items() if names}
        if running:
            with self._database.writing() as session:
                still_running(session, running, now_unix_s=max(running.values()))

    def _evict(self, endpoint_id: str, reason: str, now_unix_s: float) -> None:
        with self._database.writing() as session:
            row = change_wanted(session, endpoint_id, now_unix_s=now_unix_s, desired=DesiredState.PAUSED)
            transition(
                session,
                endpoint_id,
                seen=(row.actual,),
                to=ActualState.PAUSING,
                now_unix_s=now_unix_s,
                detail=reason,
            )

    def _carry_out(self, call: Call, endpoint: Endpoint, spec: EndpointSpec | None) -> None:
        name = endpoint.subdomain
        try:
            if call.kind in STARTS:
                assert spec is not None  # nothing is started without
                getattr(self._platform, call.kind)(spec)
            elif call.kind is CallKind.RETIRE:
                self._platform.retire(name, call.revision)
            else:
                getattr(self._platform, call.kind)(name)
        except PlatformError as error:
            logger.warning("tried again later", extra={"endpoint": name, "call": call.kind, "error": error.message})
            return
        logger.info("done", extra={"endpoint": name, "call": call.kind})


def targets(endpoints: list[Endpoint], decisions: Mapping[str, Decision]) -> dict[str, str]:
    """Subdomain or custom domain -> path in front of requests, or `=state` where there is none."""
    found: dict[str, str] = {}
    for endpoint in endpoints:
        decision = decisions[endpoint.endpoint_id]
        if endpoint.desired is DesiredState.DELETED:
            continue
        route = decision.route if decision.desired is None else None
        for host in (endpoint.subdomain, *endpoint.custom_domains):
            found[host] = route or f"={shown_state(decision.actual)}"
    return found


def shown_state(actual: ActualState) -> str:
    """The word that clients see: they know no states in between."""
    return {ActualState.PAUSING: "paused", ActualState.EXPIRING: "expired", ActualState.DELETING: "deleted"}.get(
        actual, actual.value
    )


def _replica_names(observation: Observation | None) -> list[str]:
    """A name for each replica that takes resources, from the first sight of it to its end."""
    if observation is None:
        return []
    return [
        f"{revision}-{number}"
        for revision, state in observation.revisions.items()
        for number in range(max(state.num_replicas, 0))
    ]


def _changed_document(endpoint: Endpoint, decision: Decision, now_unix_s: float) -> dict[str, object] | None:
    if decision.args is not None:
        taken_back = replace(endpoint, args=decision.args, refused=decision.refused or "", wanted_unix_s=now_unix_s)
        return taken_back.document()
    if decision.begins_anew:
        return replace(endpoint, wanted_unix_s=now_unix_s).document()
    if decision.good_args is not None:
        return replace(endpoint, good_args=decision.good_args).document()
    return None
