import pytest

from workflows.errors import InvalidInputTypeError, OperationError, UndeclaredSymbolError
from workflows.query.operation import expect, located, operand


def test_a_value_of_the_expected_type_is_given_back():
    assert expect("a", str, "a string") == "a"


def test_a_value_of_another_type_is_refused_in_words():
    with pytest.raises(InvalidInputTypeError, match=r"^takes a string, got a list$"):
        expect([], str, "a string")


def test_an_operand_is_found_by_its_name():
    assert operand("limit", {"limit": 3}) == 3


@pytest.mark.parametrize(("names", "declared"), [({}, "none"), ({"b": 1, "a": 2}, "a, b")])
def test_an_operand_that_nobody_declared_is_refused_with_those_that_are(names, declared):
    with pytest.raises(UndeclaredSymbolError, match=rf"^operand 'limit' is not declared; declared here: {declared}$"):
        operand("limit", names)


def test_a_located_error_keeps_its_type_and_its_cause():
    error = located(OperationError("too long", None, "ValueError", "cause"), "operation 3")
    assert isinstance(error, OperationError)
    assert str(error) == "operation 3: too long"
    assert (error.inner_type, error.inner_message) == ("ValueError", "cause")
