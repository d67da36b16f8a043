"""What the outputs of a document select, and of which kinds it is."""

from __future__ import annotations

from workflows.compiler.references import no_such_input, no_such_step
from workflows.definition.document import Document
from workflows.definition.nearest import suggest
from workflows.definition.selectors import EVERY_PROPERTY, InputSelector, StepSelector, parse_selector
from workflows.errors import AssumptionError, BlockProblem, InvalidReferenceTargetError


def output_kinds(document: Document, name: str, text: str) -> tuple[str, ...] | dict[str, tuple[str, ...]]:
    """Kinds of what an output of the workflow selects; for `.*` those of each property.

    Raises:
        InvalidReferenceTargetError: it selects nothing.
        AssumptionError: it selects a whole step.
    """
    target = parse_selector(text)
    if isinstance(target, InputSelector):
        item = document.input_named(target.name)
        if item is None:
            raise _dangling(name, text, no_such_input(target.name, document))
        return item.kinds
    if target is None:
        raise _dangling(name, text, "no such thing; write $inputs.<name> or $steps.<step>.<output>")
    step = document.step_named(target.step)
    if step is None:
        raise _dangling(name, text, no_such_step(target.step, document))
    if isinstance(target, StepSelector):
        raise AssumptionError(
            f"output {name!r} selects the whole step {text!r}; select one of its outputs, or all of them as "
            f"{text + '.*'!r}"
        )
    outputs = {key: tuple(str(kind) for kind in kinds) for key, kinds in step.block.outputs.items()}
    if target.property == EVERY_PROPERTY:
        return outputs
    if target.property not in outputs:
        help_text = suggest(target.property, outputs, what="outputs")
        raise _dangling(
            name, text, f"no output {target.property!r} of step {step.name!r} ({step.declared_type}); {help_text}"
        )
    return outputs[target.property]


def _dangling(name: str, text: str, details: str) -> InvalidReferenceTargetError:
    problem = BlockProblem(step="$outputs", property_name=name, details=f"{text!r} points to nothing: {details}")
    return InvalidReferenceTargetError(f"output {name!r} selects {text!r}: there is {details}", [problem])
