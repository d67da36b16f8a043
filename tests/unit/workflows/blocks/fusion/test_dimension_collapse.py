import pytest

from workflows.blocks.fusion.dimension_collapse import BLOCK, run


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (["a", "b"], ["a", "b"]),
        (["a", None, 0], ["a", 0]),
        ([None], []),
        ([], []),
        ([["a"], []], [["a"], []]),
    ],
)
def test_elements_are_gathered_and_null_ones_left_out(data, expected):
    assert run(data) == {"output": expected}


def test_the_output_lies_one_dimension_below():
    assert BLOCK.output_offset == -1
    assert BLOCK.identifiers == ("roboflow_core/dimension_collapse@v1", "DimensionCollapse")
