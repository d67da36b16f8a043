"""What a workflow asks of models: which, and how often for each request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deployments.errors import InvalidRequestError
from workflows.block import RunsOn
from workflows.compiler.plan import REQUEST_BATCH, Lineage, Plan, StepPlan
from workflows.definition.nearest import suggest
from workflows.definition.selectors import InputSelector, parse_selector, step_selector

MODEL_ID = "model_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStep:
    """A step that asks a model.

    Attributes:
        step: its name.
        model_id: what it asks.
        items: images that it shows the model for each request, a mean.
    """

    step: str
    model_id: str
    items: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Multiplicity:
    """How many of each thing there are.

    Attributes:
        images: in a request.
        crops: that a step makes of one element, where it is not named.
        crops_by_step: name of a step -> crops that it makes of one element.
    """

    images: float = 1.0
    crops: float = 1.0
    crops_by_step: Mapping[str, float]

    def items(self, lineage: Lineage) -> float:
        """Elements of a request on which something of this lineage runs: 1 for what runs once."""
        count = 1.0
        for batch in lineage:
            count *= self.images if batch == REQUEST_BATCH else self.crops_by_step.get(_step_of(batch), self.crops)
        return count


def model_steps(
    plan: Plan, multiplicity: Multiplicity, *, text_reader_id: str, parameters: Mapping[str, Any]
) -> tuple[ModelStep, ...]:
    """Every step that asks a model, in the order in which they run.

    Args:
        plan: the workflow.
        multiplicity: how many of each thing there are.
        text_reader_id: model of the steps that read and name none.
        parameters: values of the workflow's parameters, where a model's id is one.

    Raises:
        InvalidRequestError: crops are said of a step that makes none, or the id of a model is nowhere.
    """
    makers = [name for name, step in plan.steps.items() if len(step.output_lineage) > len(step.lineage)]
    for name in multiplicity.crops_by_step:
        if name not in makers:
            raise InvalidRequestError(
                f"--crops {name}: no step of this name makes several elements of one; "
                f"{suggest(name, sorted(makers), what='such steps')}"
            )
    return tuple(
        ModelStep(
            step=name,
            model_id=_model_id(plan, step, text_reader_id, parameters),
            items=multiplicity.items(step.lineage),
        )
        for name, step in plan.steps.items()
        if step.block.runs_on in (RunsOn.OBJECT_DETECTOR, RunsOn.TEXT_READER)
    )


def transform_items(plan: Plan, multiplicity: Multiplicity) -> float:
    """Units that travel to the TransformWorker for each request: one for each image and stage, or one for all."""
    return sum(
        multiplicity.images if stage.per_element else 1.0 for stage in plan.stages if stage.runs_on is RunsOn.TRANSFORMS
    )


def _step_of(batch: str) -> str:
    prefix = step_selector("")
    return batch[len(prefix) :] if batch.startswith(prefix) else batch


def _model_id(plan: Plan, step: StepPlan, text_reader_id: str, parameters: Mapping[str, Any]) -> str:
    bound = next((binding.selector for binding in step.bindings if binding.field == MODEL_ID), None)
    if bound is not None:
        return _of_parameter(plan, step, bound, parameters)
    if MODEL_ID in step.literals:
        return str(step.literals[MODEL_ID])
    sizes: Sequence[Any] = [step.literals.get(name) for name in ("text_detection", "text_recognition")]
    return f"pp_ocr/{sizes[0]}-{sizes[1]}" if all(sizes) else text_reader_id


def _of_parameter(plan: Plan, step: StepPlan, selector: str, parameters: Mapping[str, Any]) -> str:
    target = parse_selector(selector)
    if isinstance(target, InputSelector):
        value = parameters.get(target.name, plan.inputs[target.name].default)
        if value is not None:
            return str(value)
        raise InvalidRequestError(
            f"step {step.name!r} takes its model from {selector}, which has no default; say it with "
            f"--parameter {target.name}=project/version"
        )
    raise InvalidRequestError(f"step {step.name!r} takes its model from {selector}; only requests know which it is")
