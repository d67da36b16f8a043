"""What `sightline models check` says about a model that it opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deployments.models.inspection import Inspection, SeenTensor

MOST_NAMES = 12


def as_row(inspection: Inspection) -> dict[str, Any]:
    """The report as JSON."""
    package = inspection.package
    return {
        "model_id": package.model_id,
        "aliases": list(package.aliases),
        "task": str(package.task_type),
        "architecture": inspection.architecture,
        "architecture_is_declared": inspection.is_declared,
        "classes": list(package.class_names),
        "input_hw": list(inspection.input_hw),
        "batch_size": inspection.batch_size,
        "max_batch_size": package.max_batch_size,
        "device": inspection.device,
        "emulated": package.emulated is not None,
        "inputs": [_tensor_row(tensor) for tensor in inspection.inputs],
        "outputs": [_tensor_row(tensor) for tensor in inspection.outputs],
        "default_confidence": package.default_confidence,
        "best_confidence": package.recommended.confidence,
        "best_confidence_by_class": dict(package.recommended.per_class_confidence),
        "sha256": package.sha256,
        "ms_an_image": {str(size): round(ms, 3) for size, ms in inspection.ms_an_image.items()},
        "notes": list(inspection.notes),
    }


def as_lines(inspection: Inspection) -> list[str]:
    """The report for a person."""
    package = inspection.package
    origin = "declared" if inspection.is_declared else "guessed by the shape of its outputs"
    best = package.recommended.per_class_confidence or package.recommended.confidence
    lines = [
        f"{package.model_id}: {package.task_type}",
        f"  architecture  {inspection.architecture or '-'} ({origin})",
        *(f"  input         {_in_words(tensor)}" for tensor in inspection.inputs),
        *(f"  output        {_in_words(tensor)}" for tensor in inspection.outputs),
        f"  batch         {inspection.batch_size or 'any'}",
        f"  classes       {_named(package.class_names)}",
        f"  confidence    default {_or_none(package.default_confidence)}, best {_or_none(best or None)}",
        *(f"  speed         {ms:.1f} ms an image at batch {size}" for size, ms in inspection.ms_an_image.items()),
    ]
    if inspection.ms_an_image:
        lines[-1] += f" (the network alone, {'one thread' if inspection.device == 'cpu' else inspection.device})"
    lines += [f"  note          {note}" for note in inspection.notes]
    if package.emulated is not None:
        return [*lines, "  EMULATED: it computes nothing; served with --emulated-accelerators alone"]
    return [*lines, "  can be served"]


def _tensor_row(tensor: SeenTensor) -> dict[str, Any]:
    return {
        "name": tensor.name,
        "declared_shape": list(tensor.declared_shape),
        "seen_shape": list(tensor.seen_shape),
        "dtype": tensor.dtype,
    }


def _in_words(tensor: SeenTensor) -> str:
    declared = ", ".join("any" if length is None else str(length) for length in tensor.declared_shape)
    return f"{tensor.name} [{declared}] {tensor.dtype}, seen {list(tensor.seen_shape)}"


def _named(names: Sequence[str]) -> str:
    if not names:
        return "none named"
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"{len(names)}: {', '.join(names[:MOST_NAMES])}{more}"


def _or_none(value: object) -> str:
    return "not given" if value is None else str(value)
