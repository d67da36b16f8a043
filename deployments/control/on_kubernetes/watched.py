"""Objects of one kind as they are now, kept by listing once and watching from there."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping

from deployments.control.errors import PlatformError
from deployments.control.on_kubernetes.cluster_api import ClusterApi, HistoryGoneError, Kind
from deployments.errors import ServingError
from deployments.kubernetes.objects import Object

logger = logging.getLogger(__name__)

WATCH_S = 60.0
FIRST_LIST_S = 10.0
STALE_AFTER_S = 15.0
"""Time without a watch after which nobody may act on what was last known."""

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0


class Watched:
    """The objects that selectors choose, by name; a thread keeps them."""

    def __init__(
        self,
        api: ClusterApi,
        kind: Kind,
        *,
        labels: str = "",
        fields: str = "",
        watch_s: float = WATCH_S,
        stale_after_s: float = STALE_AFTER_S,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is asked yet.

        Args:
            api: the cluster.
            kind: of what.
            labels: selector.
            fields: selector.
            watch_s: how long one watch lasts.
            stale_after_s: time without a watch after which `items` refuses.
            monotonic_s: a clock.
        """
        self._api = api
        self._kind = kind
        self._labels = labels
        self._fields = fields
        self._watch_s = watch_s
        self._stale_after_s = stale_after_s
        self._monotonic_s = monotonic_s
        self._lock = threading.Lock()
        self._items: dict[str, Object] = {}
        self._version: str | None = None
        self._listed = threading.Event()
        self._lost_s: float | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"watch {kind.plural}", daemon=True)

    def start(self) -> None:
        """Begin to list and watch."""
        self._thread.start()

    def stop(self) -> None:
        """End with the watch under way."""
        self._stopping.set()

    def items(self) -> Mapping[str, Object]:
        """All objects, by name. The first call waits for the first list.

        Raises:
            PlatformError: they are not known, or what is known is too old to act on.
        """
        if not self._listed.wait(FIRST_LIST_S):
            raise PlatformError(f"the {self._kind.plural} of the cluster cannot be listed")
        with self._lock:
            if self._lost_s is not None and self._monotonic_s() - self._lost_s > self._stale_after_s:
                raise PlatformError(f"the {self._kind.plural} of the cluster were last seen too long ago")
            return dict(self._items)

    def _run(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._stopping.is_set():
            try:
                if self._version is None:
                    self._list()
                self._follow()
                pause_s = FIRST_PAUSE_S
            except HistoryGoneError:
                self._version = None
            except ServingError as error:
                with self._lock:
                    if self._lost_s is None:
                        logger.warning("a watch is lost", extra={"kind": self._kind.plural, "error": error.message})
                        self._lost_s = self._monotonic_s()
                self._stopping.wait(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - spreads, hides nothing
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _list(self) -> None:
        found, version = self._api.all(self._kind, self._labels, self._fields)
        with self._lock:
            self._items = {item["metadata"]["name"]: item for item in found}
            self._version = version
            self._lost_s = None
        self._listed.set()

    def _follow(self) -> None:
        assert self._version is not None  # listed before
        changes = self._api.watch(
            self._kind, self._version, lasts_s=self._watch_s, labels=self._labels, fields=self._fields
        )
        for change in changes:
            metadata = change.object["metadata"]
            with self._lock:
                if change.type == "DELETED":
                    self._items.pop(metadata["name"], None)
                elif change.type != "BOOKMARK":
                    self._items[metadata["name"]] = change.object
                self._version = metadata["resourceVersion"]
                self._lost_s = None
            if self._stopping.is_set():
                return
        with self._lock:
            self._lost_s = None  # it ended as it should
