from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from deployments.dataplane import tensor_compute
from deployments.dataplane.tensor_compute import describe_network, infer_tensors
from deployments.dataplane.tensor_question import TensorQuestion
from deployments.errors import InvalidRequestError
from deployments.models.engines.engine import TensorSpec
from deployments.models.errors import ModelError

FLOAT = np.dtype(np.float32)


def spec(name: str, *shape: int | None) -> TensorSpec:
    return TensorSpec(name=name, shape=shape, dtype=FLOAT)


class Network:
    """Doubles `x` (any, 2) into `twice`, and counts the rows of each run; cannot bear the value 13."""

    def __init__(self, input_rows: int | None = None, answer: Callable[[NDArray[Any]], NDArray[Any]] | None = None):
        self.inputs = (spec("x", input_rows, 2),)
        self.outputs = (spec("twice", input_rows, 2), spec("same", input_rows, 2))
        self.rows: list[int] = []
        self._answer = answer or (lambda x: x * 2)

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        self.rows.append(len(feeds["x"]))
        if 13 in feeds["x"]:
            raise RuntimeError("secret of the runtime")
        return {"twice": self._answer(feeds["x"]), "same": feeds["x"]}


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """A model whose network is the one given."""

    def model(network: Network, max_batch_size: int | None = None) -> Any:
        monkeypatch.setattr(tensor_compute, "engine_of", lambda _: network)
        return SimpleNamespace(package=SimpleNamespace(model_id="plates/1", max_batch_size=max_batch_size))

    return model


def asks(*rows: Any, outputs: tuple[str, ...] = ()) -> TensorQuestion:
    array = np.array(rows, dtype=np.float32).reshape(len(rows), 2)
    array.flags.writeable = False
    return TensorQuestion(feeds={"x": array}, outputs=outputs)


def test_questions_share_a_run_and_each_has_its_own_rows(served: Callable[..., Any]) -> None:
    network = Network()
    first, second = infer_tensors(served(network), [asks((1, 2)), asks((3, 4), (5, 6))])
    assert network.rows == [3]
    assert_array_equal(first["twice"], [[2, 4]])
    assert_array_equal(second["twice"], [[6, 8], [10, 12]])
    assert_array_equal(second["same"], [[3, 4], [5, 6]])


def test_no_questions_are_no_run(served: Callable[..., Any]) -> None:
    network = Network()
    assert infer_tensors(served(network), []) == []
    assert network.rows == []


def test_a_run_has_no_more_rows_than_the_package_finds_worth_while(served: Callable[..., Any]) -> None:
    network = Network()
    model = served(network, max_batch_size=2)
    infer_tensors(model, [asks((1, 1)), asks((2, 2)), asks((3, 3)), asks((4, 4), (5, 5), (6, 6))])
    assert network.rows == [2, 1, 3]


def test_networks_without_an_open_batch_run_each_question_alone(served: Callable[..., Any]) -> None:
    network = Network(input_rows=1)
    infer_tensors(served(network), [asks((1, 1)), asks((2, 2))])
    assert network.rows == [1, 1]


def test_an_output_that_is_no_batch_makes_each_question_run_alone(served: Callable[..., Any]) -> None:
    network = Network(answer=lambda x: x[:1])
    first, second = infer_tensors(served(network), [asks((1, 2)), asks((3, 4))])
    assert network.rows == [2, 1, 1]
    assert_array_equal(first["twice"], [[1, 2]])
    assert_array_equal(second["twice"], [[3, 4]])


def test_only_the_outputs_asked_for_come_back(served: Callable[..., Any]) -> None:
    (answer,) = infer_tensors(served(Network()), [asks((1, 2), outputs=("same",))])
    assert list(answer) == ["same"]


def test_a_question_that_spoils_its_run_fails_alone(served: Callable[..., Any]) -> None:
    good, bad = infer_tensors(served(Network()), [asks((1, 2)), asks((13, 2))])
    assert_array_equal(good["twice"], [[2, 4]])
    assert isinstance(bad, ModelError)
    assert "secret" not in str(bad)


@pytest.mark.parametrize(
    ("feeds", "outputs", "message"),
    [
        ({}, (), "the inputs are none; the network takes 'x' float32 [any, 2]"),
        ({"y": np.zeros((1, 2), np.float32)}, (), "the inputs are y; the network takes 'x'"),
        (
            {"x": np.zeros((1, 3), np.float32)},
            (),
            "[1, 3] does not fit; the network takes 'x' float32 [any, 2]",
        ),
        ({"x": np.zeros((1, 2), np.float64)}, (), "'x' float64 [1, 2] does not fit"),
        ({"x": np.zeros(2, np.float32)}, (), "'x' float32 [2] does not fit"),
        ({"x": np.zeros((0, 2), np.float32)}, (), "batches of 0; one of 1 or more is right"),
        ({"x": np.zeros((1, 2), np.float32)}, ("z",), "there is no output z; the network gives same, twice"),
    ],
)
def test_a_question_that_does_not_fit_fails_alone_and_says_what_would(
    served: Callable[..., Any], feeds: dict[str, Any], outputs: tuple[str, ...], message: str
) -> None:
    wrong, good = infer_tensors(served(Network()), [TensorQuestion(feeds=feeds, outputs=outputs), asks((1, 2))])
    assert isinstance(wrong, InvalidRequestError)
    assert message in wrong.message
    assert_array_equal(good["twice"], [[2, 4]])


def test_a_network_is_described_as_its_engine_has_it(served: Callable[..., Any]) -> None:
    network = Network()
    described = describe_network(served(network, max_batch_size=4))
    assert (described.model_id, described.inputs, described.outputs) == ("plates/1", network.inputs, network.outputs)
    assert described.max_batch_size == 4
