from __future__ import annotations

import pytest

from load_tests.batches import batches_between, parse_batches
from load_tests.results import Batches

EXPOSITION = """
# HELP coalescing_batch_items Pieces of work in one call.
# TYPE coalescing_batch_items histogram
coalescing_batch_items_bucket{deployment="text_reader",le="1"} 2
coalescing_batch_items_bucket{deployment="text_reader",le="+Inf"} 5
coalescing_batch_items_count{deployment="text_reader"} 5
coalescing_batch_items_sum{deployment="text_reader"} 31
# TYPE coalescing_calls counter
coalescing_calls_total{deployment="text_reader"} 5
"""


def test_calls_and_their_work_are_found() -> None:
    assert parse_batches(EXPOSITION) == {"text_reader": Batches(calls=5, items=31)}


@pytest.mark.parametrize("text", ["", "{}", "<html>not found</html>"])
def test_other_text_tells_nothing(text: str) -> None:
    assert parse_batches(text) == {}


def test_what_was_added_is_told_and_nothing_of_counts_that_fell() -> None:
    before = {"a": Batches(calls=5, items=31), "b": Batches(calls=9, items=9), "same": Batches(calls=1, items=1)}
    after = {
        "a": Batches(calls=7, items=41),
        "b": Batches(calls=2, items=3),
        "new": Batches(calls=1, items=2),
        "same": Batches(calls=1, items=1),
    }
    assert batches_between(before, after) == {"a": Batches(calls=2, items=10), "new": Batches(calls=1, items=2)}
    assert batches_between(before, {}) == {}
