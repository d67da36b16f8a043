import pytest

from tests.unit.workflows.query.values import detections, image
from workflows.values.wording import shown, type_in_words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null"),
        (True, "a boolean"),
        (1, "an integer"),
        (1.5, "a float"),
        ("a", "a string"),
        ([], "a list"),
        ({}, "a dictionary"),
        (detections(), "detections"),
        (image(), "an image"),
        (object(), "a value of type object"),
    ],
)
def test_values_are_named_in_the_words_of_the_language(value, words):
    assert type_in_words(value) == words


@pytest.mark.parametrize(
    ("value", "text"), [("a", "'a'"), (None, "None"), ([1, 2], "[1, 2]"), ("a" * 78, repr("a" * 78))]
)
def test_short_values_are_shown_whole(value, text):
    assert shown(value) == text


@pytest.mark.parametrize(
    "value", ["a" * 79, "a" * 1_000_000, ["a" * 50] * 50, {"x" * 90: 1}, [[[["a" * 40] * 9] * 9] * 9] * 9]
)
def test_long_values_are_cut_to_eighty_characters(value):
    assert len(shown(value)) <= 80
    assert "..." in shown(value)
