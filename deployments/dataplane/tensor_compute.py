"""Raw tensors through a network: questions of many requests share a run where that changes no answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from deployments.dataplane.compute import each_alone
from deployments.dataplane.tensor_question import NetworkDescription, TensorQuestion, Tensors
from deployments.errors import InvalidRequestError
from deployments.models.engines.engine import Engine, TensorSpec
from deployments.models.loading import LoadedModel, engine_of

MOST_ROWS = 64
"""Of a run that questions share; one that is larger by itself runs as it is."""


def describe_network(model: LoadedModel) -> NetworkDescription:
    """What the network of a model takes and gives."""
    engine = engine_of(model)
    return NetworkDescription(
        model_id=model.package.model_id,
        inputs=engine.inputs,
        outputs=engine.outputs,
        max_batch_size=model.package.max_batch_size,
    )


def infer_tensors(model: LoadedModel, questions: Sequence[TensorQuestion]) -> list[Tensors | Exception]:
    """What the network makes of each question, or what is wrong with it, in order.

    Args:
        model: whose network.
        questions: of one signature.
    """
    engine = engine_of(model)
    most_rows = model.package.max_batch_size or MOST_ROWS

    def run(good: Sequence[TensorQuestion]) -> list[Tensors]:
        answers: list[Tensors] = []
        for group in _groups(good, most_rows) if _is_batched(engine) else [[question] for question in good]:
            answers += _run_together(engine, group)
        return [_wanted(answer, question) for answer, question in zip(answers, good, strict=True)]

    checked = [_checked(engine, question) for question in questions]
    return each_alone(run, checked, model.package.model_id)


def _run_together(engine: Engine, questions: Sequence[TensorQuestion]) -> list[Tensors]:
    if len(questions) == 1:
        return [engine.run(questions[0].feeds)]
    joined = {spec.name: np.concatenate([each.feeds[spec.name] for each in questions]) for spec in engine.inputs}
    rows = [_rows(question) for question in questions]
    outputs = engine.run(joined)
    if any(not output.shape or len(output) != sum(rows) for output in outputs.values()):
        return [engine.run(question.feeds) for question in questions]  # the first axis of an output is no batch
    ends = np.cumsum(rows)[:-1]
    parts = {name: np.split(output, ends) for name, output in outputs.items()}
    return [{name: split[at] for name, split in parts.items()} for at in range(len(questions))]


def _groups(questions: Sequence[TensorQuestion], most_rows: int) -> Iterator[list[TensorQuestion]]:
    group: list[TensorQuestion] = []
    for question in questions:
        if group and sum(map(_rows, group)) + _rows(question) > most_rows:
            yield group
            group = []
        group.append(question)
    if group:
        yield group


def _is_batched(engine: Engine) -> bool:
    return all(spec.shape and spec.shape[0] is None for spec in (*engine.inputs, *engine.outputs))


def _rows(question: TensorQuestion) -> int:
    return len(next(iter(question.feeds.values())))


def _wanted(answer: Tensors, question: TensorQuestion) -> Tensors:
    return {name: answer[name] for name in question.outputs} if question.outputs else answer


def _checked(engine: Engine, question: TensorQuestion) -> TensorQuestion | Exception:
    """The question when the network can answer it, else what is wrong with it."""
    inputs = {spec.name: spec for spec in engine.inputs}
    outputs = {spec.name for spec in engine.outputs}
    if question.feeds.keys() != inputs.keys():
        return InvalidRequestError(
            f"the inputs are {_listed(question.feeds)}; the network takes {', '.join(map(_shown, engine.inputs))}"
        )
    if not outputs.issuperset(question.outputs):
        unknown = _listed(set(question.outputs) - outputs)
        return InvalidRequestError(f"there is no output {unknown}; the network gives {_listed(outputs)}")
    for name, array in question.feeds.items():
        spec = inputs[name]
        fits = len(array.shape) == len(spec.shape) and all(
            length in (None, given) for length, given in zip(spec.shape, array.shape, strict=True)
        )
        if not fits or array.dtype != spec.dtype:
            given = TensorSpec(name=name, shape=array.shape, dtype=array.dtype)
            return InvalidRequestError(f"the input {_shown(given)} does not fit; the network takes {_shown(spec)}")
    rows = {array.shape[0] for array in question.feeds.values() if array.shape}
    if _is_batched(engine) and (len(rows) > 1 or 0 in rows):
        return InvalidRequestError(f"the inputs have batches of {_listed(map(str, rows))}; one of 1 or more is right")
    return question


def _shown(spec: TensorSpec) -> str:
    lengths = ", ".join("any" if length is None else str(length) for length in spec.shape)
    return f"{spec.name!r} {spec.dtype} [{lengths}]"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
