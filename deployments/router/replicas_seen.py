"""The replicas of each deployment, as Serve has told this process, and the calls of this process that each has."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any

CHOICE_S = 1.0
"""How long a replica that was chosen is thought of as getting a call that has not been sent."""

LOST_S = 5.0
"""How long a replica that closed its connection gets no calls: Serve may take that long to see that it died."""

Suitable = Callable[[Any, list[str]], list[str]]
"""Given a call and the ids of all replicas, those that it may go to."""


class ReplicasSeen:
    """The replicas of one deployment.

    Attributes:
        calls: how many calls each has.
        node_ids: id of each replica that serves now -> id of the node it is on.
    """

    def __init__(self) -> None:
        self.calls = CallsOfReplicas()
        self.node_ids: Mapping[str, str] = {}
        self._suitable: Suitable = lambda call, replica_ids: replica_ids

    def take(self, node_ids: Mapping[str, str], suitable: Suitable) -> None:
        """Take another set of replicas."""
        self.node_ids = node_ids
        self._suitable = suitable
        self.calls.keep(node_ids.keys())

    def first(self, call: Any, now_s: float) -> str | None:
        """The replica that a call is to go to; None while there is none that is alive."""
        if not self.node_ids:
            return None
        return next(iter(self.calls.in_order(self._suitable(call, sorted(self.node_ids)), now_s)), None)


class CallsOfReplicas:
    """How many calls of this process each replica has or is about to get, and when it got the last one.

    Several calls may choose before the first of them is sent, so a choice counts too, until its call is sent: or for
    `CHOICE_S`, for the call may be given up meanwhile, or go elsewhere.
    """

    def __init__(self) -> None:
        self._under_way: dict[str, int] = {}
        self._chosen_s: dict[str, list[float]] = {}
        self._got_last: dict[str, int] = {}
        self._lost_s: dict[str, float] = {}
        self._order = itertools.count()

    def chosen(self, replica_id: str, now_s: float) -> None:
        """A call is going to be sent there."""
        self._chosen_s.setdefault(replica_id, []).append(now_s)
        self._got_last[replica_id] = next(self._order)

    def began(self, replica_id: str) -> None:
        """One more is on its way."""
        if self._chosen_s.get(replica_id):
            del self._chosen_s[replica_id][0]
        self._under_way[replica_id] = self._under_way.get(replica_id, 0) + 1
        self._got_last[replica_id] = next(self._order)

    def ended(self, replica_id: str) -> None:
        """One is over; nothing of a replica that is gone."""
        if self._under_way.get(replica_id):
            self._under_way[replica_id] -= 1

    def lost(self, replica_id: str, now_s: float) -> None:
        """It has closed the connection: it has died, most likely, or is about to end."""
        self._lost_s[replica_id] = now_s

    def keep(self, replica_ids: Set[str]) -> None:
        """Forget all other replicas."""
        for known in (self._under_way, self._chosen_s, self._got_last, self._lost_s):
            for replica_id in known.keys() - replica_ids:
                del known[replica_id]

    def in_order(self, replica_ids: Sequence[str], now_s: float) -> list[str]:
        """The replicas that have not been lost, those first that will be free first."""
        alive = [key for key in replica_ids if not self._is_lost(key, now_s)]
        return sorted(alive, key=lambda key: (self._count(key, now_s), self._got_last.get(key, -1)))

    def _is_lost(self, replica_id: str, now_s: float) -> bool:
        return replica_id in self._lost_s and self._lost_s[replica_id] > now_s - LOST_S

    def _count(self, replica_id: str, now_s: float) -> int:
        chosen_s = [at_s for at_s in self._chosen_s.get(replica_id, ()) if at_s > now_s - CHOICE_S]
        self._chosen_s[replica_id] = chosen_s
        return self._under_way.get(replica_id, 0) + len(chosen_s)


_OF_THIS_PROCESS: dict[tuple[str, str], ReplicasSeen] = {}


def replicas_seen_here(deployment: str, application: str) -> ReplicasSeen:
    """Those of a deployment; one for the whole process, for the reason that `contents_seen_here` gives."""
    return _OF_THIS_PROCESS.setdefault((deployment, application), ReplicasSeen())
