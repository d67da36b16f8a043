"""Steps that travel together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from workflows.block import RunsOn
from workflows.compiler.plan import Lineage, OutputPlan, Stage, StepPlan, in_request_batch
from workflows.definition.selectors import (
    EVERY_PROPERTY,
    StepOutputSelector,
    StepSelector,
    output_selector,
    parse_selector,
    step_selector,
)

_TRAVELS = frozenset({RunsOn.TRANSFORMS})
"""Where steps of one stage run as one call; elsewhere each step is a stage of its own."""


@dataclass(slots=True, kw_only=True)
class _Draft:
    runs_on: RunsOn
    per_element: bool
    steps: list[str]
    after: set[int]
    ancestors: set[int] = field(default_factory=set)


def plan_stages(
    steps: Mapping[str, StepPlan], dependencies: Mapping[str, set[str]], outputs: Sequence[OutputPlan]
) -> tuple[Stage, ...]:
    """Group steps into stages.

    A step joins a stage when one of its direct dependencies is in it and all others are in stages that this one waits
    for already: then joining delays nothing and makes no circle.

    Args:
        steps: by name, in an order in which they can run.
        dependencies: step -> steps that it reads from or is let through by.
        outputs: of the workflow.
    """
    drafts: list[_Draft] = []
    stage_of: dict[str, int] = {}
    for name, step in steps.items():
        needed = {stage_of[other] for other in dependencies[name]}
        index = _stage_to_join(step, needed, drafts)
        if index is None:
            index = len(drafts)
            ancestors = set(needed).union(*(drafts[i].ancestors for i in needed))
            drafts.append(
                _Draft(
                    runs_on=step.block.runs_on,
                    per_element=in_request_batch(step.lineage),
                    steps=[],
                    after=needed,
                    ancestors=ancestors,
                )
            )
        drafts[index].steps.append(name)
        stage_of[name] = index
    reads = [_dedup(s for name in draft.steps for s in _read_by(steps[name])) for draft in drafts]
    wanted_at_end = _read_by_outputs(outputs, steps)
    return tuple(
        Stage(
            index=index,
            runs_on=draft.runs_on,
            steps=tuple(draft.steps),
            after=tuple(sorted(draft.after)),
            needs=tuple(s for s in reads[index] if _made_in(s, stage_of) != index),
            gives=_given(index, reads, wanted_at_end, stage_of),
            per_element=draft.per_element,
        )
        for index, draft in enumerate(drafts)
    )


def _stage_to_join(step: StepPlan, needed: set[int], drafts: Sequence[_Draft]) -> int | None:
    if step.block.runs_on not in _TRAVELS:
        return None
    for index in sorted(needed, reverse=True):
        draft = drafts[index]
        fits = draft.runs_on is step.block.runs_on and draft.per_element == in_request_batch(step.lineage)
        if fits and needed - {index} <= draft.ancestors:
            return index
    return None


def _read_by(step: StepPlan) -> list[str]:
    """Every selector a step reads, its gates and the positions it runs on."""
    read = [binding.selector for binding in step.bindings]
    read.extend(step_selector(gate) for gate in step.gates)
    if step.frame is not None:
        read.append(step.frame)
    return read


def _read_by_outputs(outputs: Sequence[OutputPlan], steps: Mapping[str, StepPlan]) -> list[str]:
    read: list[str] = []
    for output in outputs:
        target = parse_selector(output.selector)
        if isinstance(target, StepOutputSelector) and target.property == EVERY_PROPERTY:
            read.extend(output_selector(target.step, name) for name in steps[target.step].block.outputs)
        else:
            read.append(output.selector)
        read.extend(inner_batches(output.lineage))
    return _dedup(read)


def inner_batches(lineage: Lineage) -> Lineage:
    """Batches whose positions a nested list shows beside those of its own values."""
    return lineage[:-1]


def _given(
    index: int, reads: Sequence[Sequence[str]], wanted_at_end: Sequence[str], stage_of: Mapping[str, int]
) -> tuple[str, ...]:
    elsewhere = [s for other, selectors in enumerate(reads) if other != index for s in selectors]
    return tuple(s for s in _dedup([*elsewhere, *wanted_at_end]) if _made_in(s, stage_of) == index)


def _made_in(selector: str, stage_of: Mapping[str, int]) -> int | None:
    target = parse_selector(selector)
    return stage_of[target.step] if isinstance(target, StepOutputSelector | StepSelector) else None


def _dedup(selectors: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(selectors))
