import pytest

from tests.unit.workflows.query.values import detections, image
from workflows.errors import OperationError
from workflows.query.operation import located, shown, type_in_words


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


def test_long_values_are_cut_in_messages():
    assert shown("a" * 100) == "'" + "a" * 59 + "..."
    assert shown("a") == "'a'"


def test_a_located_error_keeps_its_type_and_its_cause():
    error = located(OperationError("too long", None, "ValueError", "cause"), "operation 3")
    assert isinstance(error, OperationError)
    assert str(error) == "operation 3: too long"
    assert (error.inner_type, error.inner_message) == ("ValueError", "cause")
