import inspect

import pytest

from workflows.model_manifests import least_score, without_model_id


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((0.2, None, None), 0.2),
        ((0.2, "best", 0.9), "best"),
        ((0.2, "default", 0.9), "default"),
        ((0.2, "custom", 0.9), 0.9),
        ((0.2, "custom", None), 0.4),
    ],
)
def test_the_least_score_is_a_number_or_the_models_to_say(given, expected):
    assert least_score(*given) == expected


def test_an_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="best, default and custom"):
        least_score(0.4, "loose", None)


async def test_first_versions_are_the_same_without_the_model():
    async def run(images, model_id, *, port):
        return {"predictions": (images, port), "model_id": model_id}

    first_version = without_model_id(run)
    assert await first_version(1, "a/1", port=2) == {"predictions": (1, 2)}
    assert inspect.signature(first_version) == inspect.signature(run)
