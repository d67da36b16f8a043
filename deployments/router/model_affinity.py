"""Sends calls for a model to replicas that have it loaded.

Serve's own multiplexing learns what replicas hold through its controller, a few tenths of a second late, and waits up
to a second for a replica that is busy. Here the answers themselves say what their replica holds, and the same process
that reads the answers chooses the replica of the next call.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from ray.serve.request_router import PendingRequest, RequestRouter, RunningReplica

from deployments.dataplane.messages import InferCall, LoadCall, NetworkCall, PredictCall, ReadCall
from deployments.router.replica_contents import ReplicaContents, contents_seen_here

ModelCall = PredictCall | ReadCall | InferCall | NetworkCall | LoadCall

CHOICES = 2
"""Of which Serve takes the one with the shorter queue."""


class ModelAffinityRouter(RequestRouter):
    """Chooses a replica for each call to a deployment that holds many models."""

    async def choose_replicas(
        self, candidate_replicas: list[RunningReplica], pending_request: PendingRequest | None = None
    ) -> list[list[RunningReplica]]:
        """One round of candidates."""
        call = None
        if pending_request is not None:
            pending_request.routing_context.should_backoff = True
            call = pending_request.args[0] if pending_request.args else None
        by_id = {replica.replica_id.unique_id: replica for replica in candidate_replicas}
        chosen = sorted(by_id)
        if isinstance(call, ModelCall):
            chosen = suitable_replicas(call, chosen, contents_seen_here())
        return [[by_id[replica_id] for replica_id in random.sample(chosen, min(CHOICES, len(chosen)))]]

    def update_replicas(self, replicas: list[RunningReplica]) -> None:
        """Take another set of replicas."""
        before = {replica_id.unique_id for replica_id in self._replica_id_set}
        super().update_replicas(replicas)
        contents_seen_here().forget(before - {replica.replica_id.unique_id for replica in replicas})


def suitable_replicas(call: ModelCall, replica_ids: Sequence[str], contents: ReplicaContents) -> list[str]:
    """Replicas that a call may go to.

    Work for a model goes to replicas that have it, and to those not heard of yet, which may. A load goes to a replica
    that lacks the model; so does work when no replica has it. Of those, the ones that hold the fewest are preferred.

    Args:
        call: what is to be done.
        replica_ids: all replicas there are; at least one.
        contents: what they hold.
    """
    holders = contents.holders(call.model_id)
    having = [replica_id for replica_id in replica_ids if replica_id in holders]
    if having and not isinstance(call, LoadCall):
        return having + [replica_id for replica_id in replica_ids if not contents.is_known(replica_id)]
    contents.forget(holders - set(replica_ids))  # they died, and nobody has said so yet
    lacking = [replica_id for replica_id in replica_ids if replica_id not in holders] or list(replica_ids)
    fewest = min(contents.count(replica_id) for replica_id in lacking)
    return [replica_id for replica_id in lacking if contents.count(replica_id) == fewest]
