from __future__ import annotations

import pytest

from deployments.models.errors import InvalidModelIdError
from deployments.models.model_id import canonical_model_id


@pytest.mark.parametrize(
    "model_id", ["coco/3", "vehicle-registration-plates-trudk/2", "doctr/default", "clip", "a_b/v1.2"]
)
def test_ids_of_the_grammar_stay_as_they_are(model_id: str) -> None:
    assert canonical_model_id(model_id) == model_id


@pytest.mark.parametrize(("alias", "model_id"), [("yolov8n-640", "coco/3"), ("rfdetr-base", "coco/36")])
def test_short_names_are_replaced(alias: str, model_id: str) -> None:
    assert canonical_model_id(alias) == model_id


def test_blanks_and_newlines_around_an_id_do_not_count() -> None:
    assert canonical_model_id(" plates/2\n") == "plates/2"


@pytest.mark.parametrize("text", ["", "a/b/c", "/a", "a/", "../etc", "a/..", "a b", "a//b", "-a/1", "a\\b", "x" * 201])
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidModelIdError, match="is no model id"):
        canonical_model_id(text)
