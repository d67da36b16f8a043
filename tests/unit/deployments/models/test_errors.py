from __future__ import annotations

import pickle

import pytest

from deployments.errors import ServingError
from deployments.models.errors import (
    InvalidModelIdError,
    ModelError,
    ModelLoadError,
    ModelPackageError,
    ModelUnavailableError,
    UnknownModelError,
    UnsupportedModelError,
)

WITH_ID = [UnknownModelError, InvalidModelIdError, ModelLoadError, ModelUnavailableError, UnsupportedModelError]


@pytest.mark.parametrize("kind", WITH_ID)
def test_errors_with_an_id_survive_the_way_to_another_process(kind: type) -> None:
    back = pickle.loads(pickle.dumps(kind("no such model", "coco/3")))
    assert type(back) is kind
    assert (str(back), back.message, back.model_id) == ("no such model", "no such model", "coco/3")


def test_a_package_error_survives_the_way_to_another_process() -> None:
    back = pickle.loads(pickle.dumps(ModelPackageError("weights.onnx is missing", "a/1")))
    assert (str(back), back.path) == ("weights.onnx is missing", "a/1")


@pytest.mark.parametrize("kind", [*WITH_ID, ModelPackageError])
def test_every_error_is_a_model_error_and_a_serving_error(kind: type) -> None:
    assert issubclass(kind, ModelError)
    assert issubclass(kind, ServingError)
