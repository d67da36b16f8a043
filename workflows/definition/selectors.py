"""Selectors: the texts by which one part of a document points to another.

Names with other characters than letters, digits, `_` and `-` can be selected by outputs only: in a step's parameters
such a text is no selector (see the patterns in `workflows/manifest_fields.py`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_INPUT = re.compile(r"\$inputs\.(.*)\Z", re.DOTALL)
_STEP_OUTPUT = re.compile(r"\$steps\.([^.]*)\.(.*)\Z", re.DOTALL)
_STEP = re.compile(r"\$steps\.([^.]*)\Z", re.DOTALL)

EVERY_PROPERTY = "*"
"""The property that stands for all outputs of a step."""


@dataclass(frozen=True, slots=True)
class InputSelector:
    """`$inputs.<name>`."""

    name: str


@dataclass(frozen=True, slots=True)
class StepOutputSelector:
    """`$steps.<step>.<property>`; the property is `*` for all outputs of the step."""

    step: str
    property: str


@dataclass(frozen=True, slots=True)
class StepSelector:
    """`$steps.<step>`."""

    step: str


Selector = InputSelector | StepOutputSelector | StepSelector


def parse_selector(text: str) -> Selector | None:
    """What a text points to; None when it is no selector."""
    if found := _INPUT.match(text):
        return InputSelector(found[1])
    if found := _STEP_OUTPUT.match(text):
        return StepOutputSelector(found[1], found[2])
    if found := _STEP.match(text):
        return StepSelector(found[1])
    return None


def input_selector(name: str) -> str:
    """The text that points to an input."""
    return f"$inputs.{name}"


def step_selector(step: str) -> str:
    """The text that points to a whole step."""
    return f"$steps.{step}"


def output_selector(step: str, name: str) -> str:
    """The text that points to one output of a step."""
    return f"$steps.{step}.{name}"
