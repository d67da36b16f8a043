from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from deployments.models.engines.batches import run_batch
from deployments.models.engines.triton.engine import TritonEngine
from deployments.models.errors import ModelError, ModelUnavailableError
from deployments.models.package_layouts.contents import TritonModel
from tests.cluster.server import free_port
from tests.triton.conftest import shared_memory
from tests.triton.server import TritonServer
from workflows.errors import DeadlineExceededError
from workflows.values.time_left import work_until

pytestmark = pytest.mark.triton

Model = Callable[..., TritonModel]
WAYS = [(batching, memory) for batching in ("sightline", "triton") for memory in ("auto", "off")]


def rows(count: int, width: int = 2) -> np.ndarray:
    array = np.arange(count * width, dtype=np.float32).reshape(count, width)
    array.flags.writeable = False  # as arrays of another process are
    return array


def wait_until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def test_names_shapes_and_types_are_those_of_the_server(model_on: Model) -> None:
    engine = TritonEngine("plates/1", model_on("plates"))
    assert [(spec.name, spec.shape, spec.dtype) for spec in engine.inputs] == [
        ("images", (None, 3, 64, 64), np.dtype(np.float32))
    ]
    assert [(spec.name, spec.shape) for spec in engine.outputs] == [("output0", (None, 5, 12))]
    assert engine.device == "triton"


@pytest.mark.parametrize(("batching", "memory"), WAYS)
@pytest.mark.parametrize("count", [1, 4, 11])
def test_every_element_comes_back_in_its_place(model_on: Model, batching: str, memory: str, count: int) -> None:
    engine = TritonEngine("add/1", model_on("add", batching=batching, shared_memory=memory))
    outputs = engine.run({"x": rows(count)})
    assert_array_equal(outputs["twice"], rows(count) * 2)
    assert_array_equal(outputs["same"], rows(count))


@pytest.mark.parametrize("memory", ["auto", "off"])
def test_outputs_of_known_size_come_back_too_and_are_nobody_elses(model_on: Model, memory: str) -> None:
    engine = TritonEngine("fixed/1", model_on("fixed", shared_memory=memory))
    first = engine.run({"x": rows(2, 3)})["twice"]
    engine.run({"x": rows(2, 3) + 50})
    assert_array_equal(first, rows(2, 3) * 2)


def test_a_graph_of_a_fixed_batch_is_fed_in_parts(model_on: Model) -> None:
    engine = TritonEngine("fixed/1", model_on("fixed"))
    assert_array_equal(run_batch(engine, rows(3, 3), engine.inputs[0].shape[0])[0], rows(3, 3) * 2)


def test_our_batch_is_one_run_of_the_server_and_items_alone_are_gathered_by_it(
    triton: TritonServer, model_on: Model
) -> None:
    batch = np.zeros((8, 3, 64, 64), dtype=np.float32)
    before = triton.statistics("plates")
    TritonEngine("plates/1", model_on("plates")).run({"images": batch})
    ours = triton.statistics("plates")
    TritonEngine("plates/1", model_on("plates", batching="triton")).run({"images": batch})
    theirs = triton.statistics("plates")
    assert (ours[0] - before[0], ours[1] - before[1]) == (8, 1)
    assert theirs[0] - ours[0] == 8
    assert theirs[1] - ours[1] < 8  # eight requests, gathered in fewer runs


def test_shared_memory_is_used_again_and_given_back(
    triton: TritonServer, model_on: Model, shared_before: set[str]
) -> None:
    engine = TritonEngine("plates/1", model_on("plates"))
    for count in (1, 8, 2, 8):
        engine.run({"images": np.zeros((count, 3, 64, 64), dtype=np.float32)})
    (region,) = shared_memory() - shared_before
    wait_until(lambda: triton.shared_regions() == {region})  # those it outgrew are let go
    engine.close()
    assert shared_memory() == shared_before
    wait_until(lambda: triton.shared_regions() == set())


def test_an_engine_that_nobody_uses_any_more_gives_its_memory_back(model_on: Model, shared_before: set[str]) -> None:
    TritonEngine("plates/1", model_on("plates")).run({"images": np.zeros((1, 3, 64, 64), dtype=np.float32)})
    assert shared_memory() == shared_before


def test_a_run_ends_with_the_deadline_of_its_call(model_on: Model) -> None:
    engine = TritonEngine("slow/1", model_on("slow"))
    with work_until(time.time() + 0.2), pytest.raises(DeadlineExceededError, match="model 'slow' on Triton at 127"):
        engine.run({"x": rows(1)})
    with work_until(time.time() + 30):
        assert_array_equal(engine.run({"x": rows(1)})["twice"], rows(1) * 2)


def test_a_deadline_that_is_over_is_not_worth_asking(model_on: Model) -> None:
    engine = TritonEngine("add/1", model_on("add"))
    with work_until(time.time() - 1), pytest.raises(DeadlineExceededError, match="before Triton was asked"):
        engine.run({"x": rows(1)})


def test_our_own_patience_makes_the_model_unavailable(model_on: Model) -> None:
    engine = TritonEngine("slow/1", model_on("slow", timeout_s=0.2))
    with pytest.raises(ModelUnavailableError, match="which does not answer"):
        engine.run({"x": rows(1)})


def test_memory_of_runs_that_were_given_up_is_unlinked_and_not_used_again(
    model_on: Model, shared_before: set[str]
) -> None:
    engine = TritonEngine("slow/1", model_on("slow"))
    for _ in range(6):  # more than there are regions
        with work_until(time.time() + 0.05), pytest.raises(DeadlineExceededError):
            engine.run({"x": rows(1)})
        assert shared_memory() == shared_before
    assert_array_equal(engine.run({"x": rows(1)})["twice"], rows(1) * 2)


def test_a_model_that_the_server_lacks_is_named(triton: TritonServer, model_on: Model) -> None:
    with pytest.raises(ModelUnavailableError) as caught:
        TritonEngine("plates/1", model_on("nameplates"))
    assert "model 'nameplates' on Triton at 127.0.0.1:" in caught.value.message
    assert "correct `triton` in model_config.json" in caught.value.message


def test_a_server_that_is_away_is_named(model_on: Model) -> None:
    port = free_port()
    with pytest.raises(ModelUnavailableError) as caught:
        TritonEngine("plates/1", model_on("plates", address=f"127.0.0.1:{port}"))
    assert f"'plates/1' is model 'plates' on Triton at 127.0.0.1:{port}, which cannot be had" in caught.value.message
    assert "start that server with that model" in caught.value.message


def test_what_the_server_refuses_is_an_error_of_the_model(model_on: Model) -> None:
    engine = TritonEngine("plates/1", model_on("plates"))
    with pytest.raises(ModelError, match=r"which failed: .*unexpected shape"):
        engine.run({"images": np.zeros((1, 3, 32, 32), dtype=np.float32)})
