"""Says which replica a call goes to: one that has the model loaded, and will be free soonest.

Serve's own multiplexing learns what replicas hold through its controller, a few tenths of a second late, and waits up
to a second for a replica that is busy. Here the answers themselves say what their replica holds, and the same process
that reads the answers chooses the replica of the next call.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from ray.serve.request_router import PendingRequest, ReplicaID, RequestRouter, RunningReplica

from deployments.dataplane.messages import InferCall, LoadCall, NetworkCall, PredictCall, ReadCall
from deployments.router.replica_contents import ReplicaContents, contents_seen_here
from deployments.router.replicas_seen import replicas_seen_here

ModelCall = PredictCall | ReadCall | InferCall | NetworkCall | LoadCall


class FewestCallsRouter(RequestRouter):
    """Chooses the replica with the fewest calls of this process under way; of several, the one that got none longest.

    That one will be free first, and a WorkflowRouter sends the next call just before one is. Serve's own lengths of
    queues do not tell: an answer and the news that its call was accepted arrive together, so that they drift, and
    calls went to replicas that had two while another had none.

    Source of the hooks: ray 2.60.0, `ray/serve/_private/router.py`, `AsyncioRouter._route_and_send_request_once`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Arguments are Serve's own."""
        super().__init__(*args, **kwargs)
        self._seen = replicas_seen_here(self._deployment_id.name, self._deployment_id.app_name)

    async def choose_replicas(
        self, candidate_replicas: list[RunningReplica], pending_request: PendingRequest | None = None
    ) -> list[list[RunningReplica]]:
        """Candidates in the order in which they are tried."""
        call = None
        if pending_request is not None:
            pending_request.routing_context.should_backoff = True
            call = pending_request.args[0] if pending_request.args else None
        by_id = {replica.replica_id.unique_id: replica for replica in candidate_replicas}
        now_s = time.monotonic()
        order = self._seen.calls.in_order(self.suitable(call, sorted(by_id)), now_s)
        if order:
            self._seen.calls.chosen(order[0], now_s)
        return [[by_id[replica_id]] for replica_id in order]

    def suitable(self, call: Any, replica_ids: list[str]) -> list[str]:
        """Replicas that a call may go to."""
        return replica_ids

    def on_send_request(self, replica_id: ReplicaID) -> None:
        """Take down where a call goes."""
        super().on_send_request(replica_id)
        self._seen.calls.began(replica_id.unique_id)

    def on_request_completed(self, replica_id: ReplicaID, internal_request_id: str) -> None:
        """Take down that it is over, however it ended."""
        super().on_request_completed(replica_id, internal_request_id)
        self._seen.calls.ended(replica_id.unique_id)

    def update_replicas(self, replicas: list[RunningReplica]) -> None:
        """Take another set of replicas."""
        super().update_replicas(replicas)
        self._seen.take({replica.replica_id.unique_id: replica.node_id for replica in replicas}, self.suitable)


class ModelAffinityRouter(FewestCallsRouter):
    """Chooses among the replicas that have the model of a call, in a deployment that holds many."""

    def suitable(self, call: Any, replica_ids: list[str]) -> list[str]:
        """Replicas that a call may go to."""
        if not isinstance(call, ModelCall):
            return replica_ids
        return suitable_replicas(call, replica_ids, contents_seen_here())

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
