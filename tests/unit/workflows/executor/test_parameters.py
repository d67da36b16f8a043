import pytest

from tests.unit.workflows.sample_blocks import compiled, parameter, step
from workflows.errors import RuntimeInputError
from workflows.executor.parameters import typed_parameters


def planned(*inputs, **fields):
    kind = fields.pop("kind")
    return compiled([parameter(name) for name in inputs], [step(kind, "s", **fields)]).steps["s"]


def test_a_step_without_parameters_needs_no_check():
    assert typed_parameters(planned(kind="Double", number=1), {}) == {}


def test_values_become_what_the_manifest_makes_of_them():
    assert typed_parameters(planned("p", kind="Double", value="$inputs.p"), {"$inputs.p": "3"}) == {"number": 3.0}


def test_values_that_do_not_fit_together_are_refused():
    range_step = planned("low", "high", kind="Range", low="$inputs.low", high="$inputs.high")
    assert typed_parameters(range_step, {"$inputs.low": 1, "$inputs.high": 2}) == {"low": 1.0, "high": 2.0}
    with pytest.raises(RuntimeInputError, match="low must not be above high"):
        typed_parameters(range_step, {"$inputs.low": 3, "$inputs.high": 2})


def test_the_parameter_at_fault_is_named():
    range_step = planned("low", "high", kind="Range", low="$inputs.low", high="$inputs.high")
    with pytest.raises(RuntimeInputError, match="'high' = 'x'"):
        typed_parameters(range_step, {"$inputs.low": 1, "$inputs.high": "x"})


def test_a_parameter_is_not_blamed_for_being_no_selector():
    with pytest.raises(RuntimeInputError) as caught:
        typed_parameters(planned("p", kind="Double", value="$inputs.p"), {"$inputs.p": "x"})
    assert "must be a valid number" in caught.value.message
    assert "pattern" not in caught.value.message


def test_a_parameter_that_is_null_is_called_null():
    with pytest.raises(RuntimeInputError, match="input 'p' is null, which does not fit 'value' of step 's'"):
        typed_parameters(planned("p", kind="Double", value="$inputs.p"), {"$inputs.p": None})
