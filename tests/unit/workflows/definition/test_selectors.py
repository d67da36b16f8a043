import pytest

from workflows.definition.selectors import InputSelector, StepOutputSelector, StepSelector, parse_selector


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$inputs.image", InputSelector("image")),
        ("$inputs.my-image_2", InputSelector("my-image_2")),
        ("$steps.crop.crops", StepOutputSelector("crop", "crops")),
        ("$steps.crop.*", StepOutputSelector("crop", "*")),
        ("$steps.crop", StepSelector("crop")),
        ("$steps.a b.image", StepOutputSelector("a b", "image")),
        ("$steps.a.b.image", StepOutputSelector("a", "b.image")),
        ("$steps..image", StepOutputSelector("", "image")),
    ],
)
def test_a_selector_is_taken_apart(text, expected):
    assert parse_selector(text) == expected


@pytest.mark.parametrize("text", ["", "image", "$inputs", "$outputs.a", "inputs.image", " $inputs.image"])
def test_other_texts_are_no_selectors(text):
    assert parse_selector(text) is None
