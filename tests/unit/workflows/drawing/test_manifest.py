from __future__ import annotations

import pytest
from pydantic import ValidationError

from workflows.blocks.visualization.bounding_box import BoundingBoxVisualization


def asked(custom_colors):
    return BoundingBoxVisualization.model_validate(
        {
            "type": "BoundingBoxVisualization",
            "name": "drawn",
            "image": "$inputs.image",
            "predictions": "$steps.model.predictions",
            "custom_colors": custom_colors,
        }
    )


@pytest.mark.parametrize("colours", [[], ["#ff0000"] * 1024, "$inputs." + "colours" * 200])
def test_a_palette_is_a_list_of_colours_or_a_selector(colours):
    assert asked(colours).custom_colors == colours


def test_a_document_with_more_colours_than_a_palette_may_have_is_refused():
    with pytest.raises(ValidationError, match="at most 1024 items"):
        asked(["#ff0000"] * 1025)
