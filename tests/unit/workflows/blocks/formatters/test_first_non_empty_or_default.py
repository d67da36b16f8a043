import pytest
from pydantic import ValidationError

from workflows.blocks.formatters.first_non_empty_or_default import BLOCK, FirstNonEmptyOrDefault, run


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (["a", "b"], "a"),
        ([None, "b"], "b"),
        ([None, None], "default"),
        ([], "default"),
        ([0, 1], 0),
        (["", 1], ""),
        ([False, 1], False),
        ([[], 1], []),
        ([{}, 1], {}),
    ],
)
def test_the_first_value_that_is_not_null_wins(data, expected):
    assert run(data, "default") == {"output": expected}


def test_the_default_is_null_when_none_is_declared():
    step = FirstNonEmptyOrDefault(type="FirstNonEmptyOrDefault", name="f", data=["$steps.a.output"])
    assert step.default is None


def test_null_elements_reach_the_block():
    assert BLOCK.accepts_nulls
    assert BLOCK.references["data"].items is not None


def test_at_least_one_value_is_needed():
    with pytest.raises(ValidationError, match="at least 1 item"):
        FirstNonEmptyOrDefault(type="FirstNonEmptyOrDefault", name="f", data=[])
