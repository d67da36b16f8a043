"""Which replica has which models loaded, as far as this process has been told."""

from __future__ import annotations

from collections.abc import Collection, Iterable


class ReplicaContents:
    """Learns from every answer of a replica; forgets replicas that are gone.

    Replicas are known by the text of their id, which no two ever share.
    """

    def __init__(self) -> None:
        self._models: dict[str, frozenset[str]] = {}

    def learn(self, replica_id: str, model_ids: Iterable[str]) -> None:
        """Take down what a replica has now."""
        self._models[replica_id] = frozenset(model_ids)

    def forget(self, replica_ids: Collection[str]) -> None:
        """Take replicas for gone."""
        for replica_id in replica_ids:
            self._models.pop(replica_id, None)

    def is_known(self, replica_id: str) -> bool:
        """Whether a replica has answered anything yet."""
        return replica_id in self._models

    def holders(self, model_id: str) -> frozenset[str]:
        """Replicas that have a model."""
        return frozenset(replica_id for replica_id, models in self._models.items() if model_id in models)

    def count(self, replica_id: str) -> int:
        """How many models a replica has; 0 when it has not answered anything yet."""
        return len(self._models.get(replica_id, ()))


_OF_THIS_PROCESS = ReplicaContents()


def contents_seen_here() -> ReplicaContents:
    """What this process has been told, by all who answered it.

    One for the whole process: Serve makes the request routers that read it, hands them nothing of ours, and carries
    their module over by value, copies of its globals included. A function of another module is what all share.
    """
    return _OF_THIS_PROCESS
