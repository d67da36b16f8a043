from __future__ import annotations

import numpy as np
from numpy.testing import assert_array_equal

from deployments.models.engines.batches import run_batch
from tests.unit.deployments.models.builders import FakeEngine


def test_a_graph_that_takes_any_batch_runs_once() -> None:
    engine = FakeEngine(lambda batch: batch * 2)
    batch = np.arange(5, dtype=np.float32)[:, None]
    assert_array_equal(run_batch(engine, batch, None)[0], batch * 2)
    assert len(engine.batches) == 1


def test_a_fixed_batch_is_split_and_its_last_part_filled_with_zeros() -> None:
    engine = FakeEngine(lambda batch: batch * 2)
    assert_array_equal(run_batch(engine, np.array([[1], [2], [3]], dtype=np.float32), 2)[0], [[2], [4], [6]])
    assert [batch.tolist() for batch in engine.batches] == [[[1], [2]], [[3], [0]]]


def test_the_batch_is_brought_to_the_type_of_the_engine() -> None:
    engine = FakeEngine(lambda batch: batch)
    run_batch(engine, np.ones((1, 1), dtype=np.float64), None)
    assert engine.batches[0].dtype == np.float32


def test_a_batch_above_the_largest_that_is_worth_while_is_split_without_filling() -> None:
    engine = FakeEngine(lambda batch: batch * 2)
    assert_array_equal(run_batch(engine, np.array([[1], [2], [3]], dtype=np.float32), None, 2)[0], [[2], [4], [6]])
    assert [batch.tolist() for batch in engine.batches] == [[[1], [2]], [[3]]]


def test_a_fixed_batch_counts_more_than_the_largest() -> None:
    engine = FakeEngine(lambda batch: batch)
    run_batch(engine, np.ones((3, 1), dtype=np.float32), 4, 2)
    assert [len(batch) for batch in engine.batches] == [4]
