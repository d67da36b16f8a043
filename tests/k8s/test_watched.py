"""Keeping what a cluster has by its watches, whatever happens to them."""

from __future__ import annotations

import time

import pytest

from deployments.control.errors import PlatformError
from deployments.control.on_kubernetes.cluster_api import PODS
from deployments.control.on_kubernetes.watched import Watched
from tests.k8s.fake_cluster.api_server import ApiServer
from tests.k8s.house import api

WITHIN_S = 20.0


@pytest.fixture
def server():
    with ApiServer() as started:
        yield started


@pytest.fixture
def watched(server):
    made = Watched(api(server), PODS, labels="ours", watch_s=30)
    made.start()
    yield made
    made.stop()
    server.drop_watches()


def pod(server, name: str, labels: dict[str, str] | None = None) -> None:
    item = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"ours": "yes"}}}
    if labels is not None:
        item["metadata"]["labels"] = labels
    server.store.create("pods", item, namespace=server.namespace)


def becomes(watched: Watched, names: set[str]) -> None:
    deadline_s = time.monotonic() + WITHIN_S
    while set(watched.items()) != names:
        assert time.monotonic() < deadline_s, set(watched.items())
        time.sleep(0.02)


def lists(server) -> int:
    return server.used["list", "", "pods"]


def test_nothing_is_there_at_first(watched):
    assert watched.items() == {}


def test_what_is_there_already_is_listed_and_what_is_not_ours_is_not(server, watched):
    pod(server, "a")
    pod(server, "stranger", labels={})
    becomes(watched, {"a"})


def test_what_comes_changes_and_goes_is_seen_with_one_list(server, watched):
    watched.items()
    pod(server, "a")
    becomes(watched, {"a"})
    server.store.patch("pods", "a", {"metadata": {"annotations": {"x": "1"}}})
    pod(server, "b")
    becomes(watched, {"a", "b"})
    assert watched.items()["a"]["metadata"]["annotations"] == {"x": "1"}
    server.store.delete("pods", "a")
    becomes(watched, {"b"})
    server.store.patch("pods", "b", {"metadata": {"labels": {"ours": None}}})  # no longer chosen
    becomes(watched, set())
    assert lists(server) == 1


def test_a_watch_that_is_cut_goes_on_where_it_was(server, watched):
    pod(server, "a")
    becomes(watched, {"a"})
    listed = lists(server)
    for number in range(3):
        server.drop_watches()
        pod(server, f"b{number}")
        becomes(watched, {"a", *(f"b{n}" for n in range(number + 1))})
    server.drop_watches()
    server.store.delete("pods", "a")
    becomes(watched, {"b0", "b1", "b2"})
    assert lists(server) == listed


def test_a_watch_that_ends_in_time_goes_on_where_it_was(server):
    short = Watched(api(server), PODS, labels="ours", watch_s=1)
    short.start()
    short.items()
    while server.used["watch", "", "pods"] < 3:
        time.sleep(0.05)
    pod(server, "a")
    becomes(short, {"a"})
    assert lists(server) == 1
    short.stop()


def test_what_is_no_longer_known_is_listed_anew(server, watched):
    pod(server, "a")
    becomes(watched, {"a"})
    listed = lists(server)
    server.faults.extend([("watch", "pods", 503, {})] * 2)  # it is away while things happen
    server.drop_watches()
    server.store.delete("pods", "a")
    pod(server, "b")
    server.store.compact()
    becomes(watched, {"b"})
    assert lists(server) == listed + 1


def test_bookmarks_keep_a_silent_watch_from_being_too_old(server, watched):
    """Others change and are forgotten; without bookmarks the version of the last own object would be too old."""
    pod(server, "a")
    becomes(watched, {"a"})
    listed = lists(server)
    pod(server, "stranger", labels={})
    time.sleep(1.5)  # longer than between two bookmarks
    server.store.compact()
    server.drop_watches()
    pod(server, "b")
    becomes(watched, {"a", "b"})
    assert lists(server) == listed


def test_what_was_seen_too_long_ago_is_not_told(server):
    now_s = [0.0]
    old = Watched(api(server), PODS, watch_s=30, monotonic_s=lambda: now_s[0])
    old.start()
    assert old.items() == {}
    server.fault = lambda verb, resource: 503
    server.drop_watches()
    deadline_s = time.monotonic() + WITHIN_S
    while old._lost_s is None:
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
    assert old.items() == {}  # a moment is nothing
    now_s[0] = 16.0
    with pytest.raises(PlatformError, match="too long ago"):
        old.items()
    server.fault = lambda verb, resource: None
    pod(server, "a")
    while True:
        try:
            becomes(old, {"a"})
            break
        except PlatformError:
            time.sleep(0.05)
    old.stop()
