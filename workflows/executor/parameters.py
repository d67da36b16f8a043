"""Parameters of the request in the places where the document uses them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from workflows.compiler.plan import Binding, StepPlan
from workflows.definition.selectors import InputSelector, parse_selector
from workflows.definition.syntax_problems import value_problems
from workflows.errors import RuntimeInputError
from workflows.values.wording import shown


def parameter_bindings(step: StepPlan) -> tuple[Binding, ...]:
    """Bindings by which a parameter of the request is the whole value of a field."""
    return tuple(
        binding
        for binding in step.bindings
        if not binding.lineage and binding.key is None and isinstance(parse_selector(binding.selector), InputSelector)
    )


def typed_parameters(step: StepPlan, values: Mapping[str, Any]) -> dict[str, Any]:
    """Field -> value, for the fields of a step that a parameter fills, as the step's manifest understands it.

    Args:
        step: the step.
        values: selector -> value that was sent.

    Raises:
        RuntimeInputError: the manifest does not take the value.
    """
    bindings = parameter_bindings(step)
    if not bindings:
        return {}
    for binding in bindings:
        if not step.block.references[binding.field].has_literal:
            raise RuntimeInputError(
                f"input {_name(binding)!r} is a WorkflowParameter, and {binding.declared_as!r} of step {step.name!r} "
                "takes no plain value; declare the input as WorkflowImage or WorkflowBatchInput"
            )
    filled = {binding.declared_as: values[binding.selector] for binding in bindings}
    try:
        manifest = step.block.manifest.model_validate({**step.declared, **filled})
    except ValidationError as error:
        raise _misfit(step, bindings, filled, error) from None
    return {binding.field: getattr(manifest, binding.field) for binding in bindings}


def _misfit(
    step: StepPlan, bindings: tuple[Binding, ...], filled: Mapping[str, Any], error: ValidationError
) -> RuntimeInputError:
    found = error.errors(include_url=False)
    places = {str(details["loc"][0]) for details in found if details["loc"]}
    blamed = next((b for b in bindings if b.declared_as in places or b.field in places), bindings[0])
    said = value_problems([d for d in found if not d["loc"] or d["loc"][0] in {blamed.declared_as, blamed.field}])
    value = filled[blamed.declared_as]
    given = f"= {shown(value)}" if value is not None else "is null, which"
    return RuntimeInputError(
        f"input {_name(blamed)!r} {given} does not fit {blamed.declared_as!r} of step {step.name!r}: {said}",
        None,
        "ValidationError",
        said,
    )


def _name(binding: Binding) -> str:
    return binding.selector.removeprefix("$inputs.")
