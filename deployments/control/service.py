"""What owners do with their endpoints: each change is one transaction, carried out by the reconciler afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from deployments.control.bodies import AddBody
from deployments.control.endpoint import Endpoint
from deployments.control.errors import EndpointConflictError, EndpointNotFoundError, InvalidEndpointError
from deployments.control.machine_types import MachineTypes
from deployments.storage.database import Database
from deployments.storage.endpoints import (
    NewEndpoint,
    change_wanted,
    create_endpoint,
    find_endpoint,
    get_endpoint,
    list_endpoints,
    transition,
)
from deployments.storage.tables import ActualState, DesiredState
from deployments.storage.usage import UsageInterval, usage

HOUR_S = 3600.0

DELETED_WITHIN_S, LOOK_S = 15.0, 0.2
"""How long a new endpoint waits for one of its name that is being deleted, and how often it looks."""


class EndpointService:
    """The endpoints of all workspaces. Everything here blocks."""

    def __init__(
        self,
        database: Database,
        machine_types: MachineTypes,
        changed: Callable[[], None],
        *,
        domain: str,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Nothing is asked yet.

        Args:
            database: where they are.
            machine_types: those there are.
            changed: called after each change.
            domain: below which endpoints answer.
            clock: seconds since 1970.
            sleep: lets seconds pass.
        """
        self.machine_types = machine_types
        self.domain = domain
        self._database = database
        self._changed = changed
        self._clock = clock
        self._sleep = sleep

    def add(self, workspace: str, body: AddBody) -> Endpoint:
        """A new endpoint; the same request again gives the one it made.

        Whoever has deleted one may create another of its name at once: it begins when the first is gone.

        Raises:
            UnknownMachineTypeError: no such machine type.
            EndpointConflictError: the name, or a custom domain, is another one's.
            InvalidEndpointError: a custom domain is below our own.
        """
        kind = self.machine_types.named(body.machine_type)
        now_unix_s = self._clock()
        document = Endpoint(
            endpoint_id="",
            workspace=workspace,
            name=body.deployment_name,
            subdomain="",
            machine_type=kind.name,
            args=body.config.args(),
            custom_domains=tuple(body.custom_domains),
            wanted_unix_s=now_unix_s,
        ).document()
        most = body.max_replicas or body.min_replicas
        self._await_deletion(workspace, body.deployment_name)
        with self._database.writing() as session:
            there = find_endpoint(session, workspace, body.deployment_name)
            if there is not None:
                return self._same(Endpoint.of(there), body, most)
            self._check_domains(session, body.custom_domains)
            row = create_endpoint(
                session,
                NewEndpoint(
                    workspace=workspace,
                    name=body.deployment_name,
                    machine_type=kind.name,
                    creator_email=body.creator_email,
                    inference_version=body.inference_version,
                    min_replicas=body.min_replicas,
                    max_replicas=most,
                    duration_h=body.duration,
                    expires=kind.expires,
                    delete_on_expiration=body.delete_on_expiration,
                    spec=document,
                ),
                now_unix_s=now_unix_s,
            )
        self._changed()
        return Endpoint.of(row)

    def _await_deletion(self, workspace: str, name: str) -> None:
        for _ in range(round(DELETED_WITHIN_S / LOOK_S)):
            with self._database.reading() as session:
                there = find_endpoint(session, workspace, name)
            if there is None or there.desired is not DesiredState.DELETED:
                return
            self._sleep(LOOK_S)
        raise EndpointConflictError(f"the endpoint {name!r} is still being deleted; ask again in a few seconds")

    @staticmethod
    def _same(there: Endpoint, body: AddBody, most: int) -> Endpoint:
        asked = (body.machine_type, body.min_replicas, most, body.config.args(), tuple(body.custom_domains))
        has = (there.machine_type, there.min_replicas, there.max_replicas, dict(there.args), there.custom_domains)
        if there.desired is DesiredState.RUNNING and asked == has:
            return there
        raise EndpointConflictError(
            f"there is an endpoint {there.name!r} already, on {there.machine_type}; delete it first, or take "
            "another name"
        )

    def _check_domains(self, session: Session, domains: list[str]) -> None:
        taken = {domain for row in list_endpoints(session) for domain in Endpoint.of(row).custom_domains}
        for domain in domains:
            if domain == self.domain or domain.endswith(f".{self.domain}"):
                raise InvalidEndpointError(f"{domain} is below {self.domain}: such a host is the name of an endpoint")
            if domain in taken:
                raise EndpointConflictError(f"{domain} leads to another endpoint already")

    def get(self, workspace: str, name: str) -> Endpoint:
        """An endpoint.

        Raises:
            EndpointNotFoundError: the workspace has none of this name.
        """
        with self._database.reading() as session:
            return self._found(session, workspace, name)

    def all_of(self, workspace: str, *, deleted: bool = False) -> list[Endpoint]:
        """The endpoints of a workspace; those that `get` finds no more only when deleted ones are asked for."""
        with self._database.reading() as session:
            rows = list_endpoints(session, workspace, deleted=deleted)
            return [Endpoint.of(row) for row in rows if deleted or row.desired is not DesiredState.DELETED]

    def pause(self, workspace: str, name: str) -> Endpoint:
        """Have it take no resources; it stays as it is set up."""
        return self._change(workspace, name, desired=DesiredState.PAUSED)

    def delete(self, workspace: str, name: str) -> Endpoint:
        """Have it removed."""
        return self._change(workspace, name, desired=DesiredState.DELETED)

    def resume(self, workspace: str, name: str) -> Endpoint:
        """Have it run again: after a pause, after its time was over, or after it failed."""
        return self._restart(workspace, name, lambda endpoint: endpoint)

    def update(self, workspace: str, name: str, args: Mapping[str, Any]) -> Endpoint:
        """Have it serve something else; what it serves now answers until that is ready."""
        return self._restart(workspace, name, lambda endpoint: replace(endpoint, args=args), resumes=False)

    def resize(self, workspace: str, name: str, fewest: int, most: int) -> Endpoint:
        """Have it run with other numbers of replicas."""
        return self._change(workspace, name, min_replicas=fewest, max_replicas=most)

    def _restart(
        self, workspace: str, name: str, changed: Callable[[Endpoint], Endpoint], *, resumes: bool = True
    ) -> Endpoint:
        now_unix_s = self._clock()
        with self._database.writing() as session:
            endpoint = self._found(session, workspace, name)
            document = replace(changed(endpoint), wanted_unix_s=now_unix_s, refused="").document()
            expires = endpoint.expires_unix_s is not None and resumes
            row = change_wanted(
                session,
                endpoint.endpoint_id,
                now_unix_s=now_unix_s,
                desired=DesiredState.RUNNING if resumes else None,
                spec=document,
                expires_unix_s=now_unix_s + endpoint.duration_h * HOUR_S if expires else None,
            )
            if row.actual is ActualState.FAILED:
                row = transition(
                    session,
                    endpoint.endpoint_id,
                    seen=(ActualState.FAILED,),
                    to=ActualState.PENDING,
                    now_unix_s=now_unix_s,
                )
        self._changed()
        return Endpoint.of(row)

    def _change(self, workspace: str, name: str, **changes: Any) -> Endpoint:
        now_unix_s = self._clock()
        with self._database.writing() as session:
            endpoint = self._found(session, workspace, name)
            row = change_wanted(session, endpoint.endpoint_id, now_unix_s=now_unix_s, **changes)
        self._changed()
        return Endpoint.of(row)

    def usage(self, workspace: str, from_unix_s: float, to_unix_s: float) -> list[tuple[Endpoint, list[UsageInterval]]]:
        """What each endpoint of a workspace used between two times, those without use left out."""
        with self._database.reading() as session:
            intervals = usage(session, from_unix_s=from_unix_s, to_unix_s=to_unix_s, workspace=workspace)
            ids = dict.fromkeys(interval.endpoint_id for interval in intervals)
            return [
                (
                    Endpoint.of(get_endpoint(session, endpoint_id)),
                    [interval for interval in intervals if interval.endpoint_id == endpoint_id],
                )
                for endpoint_id in ids
            ]

    @staticmethod
    def _found(session: Session, workspace: str, name: str) -> Endpoint:
        row = find_endpoint(session, workspace, name)
        if row is None or row.desired is DesiredState.DELETED:
            raise EndpointNotFoundError(f"there is no endpoint {name[:63]!r} in the workspace {workspace}")
        return Endpoint.of(row)
