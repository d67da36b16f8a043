"""How full the calls were that a server made to its models, as its `/metrics` say."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
from prometheus_client.parser import text_string_to_metric_families

from load_tests.results import Batches
from load_tests.target import RunningTarget

FAMILY = "coalescing_batch_items"
TIMEOUT_S = 10.0


def batches_of(target: RunningTarget) -> dict[str, Batches]:
    """Queue of the router, such as `text_reader` -> calls so far and what was in them; empty where a server tells none.

    Every replica of the router counts its own calls, and one of them answers.
    """
    try:
        answer = httpx.get(f"{target.url}/metrics", headers=dict(target.headers), timeout=TIMEOUT_S)
    except httpx.TransportError:
        return {}
    return parse_batches(answer.text) if answer.status_code == httpx.codes.OK else {}


def parse_batches(exposition: str) -> dict[str, Batches]:
    """The same of a text in Prometheus' format; of any other text nothing."""
    counted: dict[str, dict[str, int]] = {}
    try:
        for family in text_string_to_metric_families(exposition):
            for sample in family.samples if family.name == FAMILY else ():
                counted.setdefault(sample.labels.get("deployment", ""), {})[sample.name] = int(sample.value)
    except ValueError:
        return {}
    return {
        name: Batches(calls=values.get(f"{FAMILY}_count", 0), items=values.get(f"{FAMILY}_sum", 0))
        for name, values in counted.items()
    }


def batches_between(before: Mapping[str, Batches], after: Mapping[str, Batches]) -> dict[str, Batches]:
    """What was added; nothing of a deployment whose counts fell, for then another replica of the router answered."""
    told = {}
    for name, now in after.items():
        then = before.get(name, Batches(calls=0, items=0))
        calls, items = now.calls - then.calls, now.items - then.items
        if calls > 0 and items > 0:
            told[name] = Batches(calls=calls, items=items)
    return told
