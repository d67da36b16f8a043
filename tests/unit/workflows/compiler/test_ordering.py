import pytest

from workflows.compiler.ordering import order_steps
from workflows.errors import ExecutionGraphStructureError


def test_no_steps_need_no_order():
    assert order_steps([], {}) == ()


def test_independent_steps_keep_the_order_of_the_document():
    assert order_steps(["b", "a"], {"a": set(), "b": set()}) == ("b", "a")


def test_a_step_comes_after_what_it_reads():
    assert order_steps(["c", "b", "a"], {"a": set(), "b": {"a"}, "c": {"a", "b"}}) == ("a", "b", "c")


@pytest.mark.parametrize(
    ("dependencies", "trail"),
    [
        ({"a": {"a"}}, "a -> a"),
        ({"a": {"b"}, "b": {"a"}}, "a -> b -> a"),
        ({"a": set(), "b": {"a", "d"}, "c": {"b"}, "d": {"c"}}, "b -> c -> d -> b"),
    ],
)
def test_a_cycle_is_shown_along_the_data(dependencies, trail):
    with pytest.raises(ExecutionGraphStructureError) as caught:
        order_steps(list(dependencies), dependencies)
    shown = caught.value.message.split(": ")[1].split(";")[0].split(" -> ")
    expected = trail.split(" -> ")
    turns = [[*expected[i:-1], *expected[:i], expected[i]] for i in range(len(expected) - 1)]
    assert shown in turns
    assert caught.value.problems is None
