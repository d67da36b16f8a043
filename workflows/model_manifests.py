"""What the blocks of models have in common, whatever the model is for."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar, Literal

from pydantic import AliasChoices, Field

from workflows.block import Block, BlockManifest, RunsOn
from workflows.kinds import Kind
from workflows.manifest_fields import (
    BooleanRef,
    Fraction,
    FractionRef,
    ImageRef,
    IntegerRef,
    ListRef,
    ModelIdRef,
    PositiveInt,
    ProjectRef,
    StringRef,
)
from workflows.ports import ConfidenceMode

DEFAULT_CONFIDENCE = 0.4

Run = Callable[..., Awaitable[dict[str, Any]]]


class ModelManifest(BlockManifest):
    """Ask a model named by its id about an image."""

    category: ClassVar[str] = "model"

    images: ImageRef = Field(
        validation_alias=AliasChoices("images", "image"), title="Image", description="Image to look at."
    )
    model_id: str | ModelIdRef = Field(description="Project and version of the model, such as plates/2.")
    disable_active_learning: bool | BooleanRef = Field(
        default=True, description="Accepted for compatibility; images are never collected."
    )
    active_learning_target_dataset: str | ProjectRef | None = Field(
        default=None, description="Accepted for compatibility; images are never collected."
    )


class BoxModelManifest(ModelManifest):
    """Ask a model that finds objects."""

    class_filter: list[str] | ListRef | None = Field(
        default=None, description="Classes to keep; all of them when missing or empty."
    )
    iou_threshold: Fraction | FractionRef = Field(
        default=0.3, description="Overlap from which the weaker of two boxes is dropped."
    )
    max_detections: PositiveInt | IntegerRef = Field(default=300, description="Most boxes to keep on one image.")
    class_agnostic_nms: bool | BooleanRef | None = Field(
        default=False, description="Whether boxes of different classes drop one another."
    )
    max_candidates: PositiveInt | IntegerRef = Field(
        default=3000, description="Accepted for compatibility; all candidates are looked at."
    )


class GivenConfidence(BlockManifest):
    """The least score is a number."""

    confidence: Fraction | FractionRef = Field(
        default=DEFAULT_CONFIDENCE, description="Score above which a box or class counts."
    )


class CustomConfidence(BlockManifest):
    """The least score may be a number."""

    custom_confidence: Fraction | FractionRef | None = Field(
        default=DEFAULT_CONFIDENCE, description="Score above which a box or class counts, in the mode custom."
    )


class BestConfidence(CustomConfidence):
    """The least score is the model's to say, or a number; by itself the best that its package knows."""

    confidence_mode: Literal["best", "default", "custom"] | StringRef = Field(
        default="best", description="Where the least score comes from: the model's package, its default, or yourself."
    )


class DefaultConfidence(CustomConfidence):
    """The least score is the model's default, or a number."""

    confidence_mode: Literal["default", "custom"] | StringRef = Field(
        default="default", description="Where the least score comes from: the model's default, or yourself."
    )


def least_score(
    confidence: float, confidence_mode: str | None, custom_confidence: float | None
) -> float | ConfidenceMode:
    """The score from which boxes or classes count, or whose choice it is.

    Args:
        confidence: of versions without a mode.
        confidence_mode: of the others; None for those.
        custom_confidence: for the mode custom.

    Raises:
        ValueError: no such mode.
    """
    match confidence_mode:
        case None:
            return confidence
        case "custom":
            return DEFAULT_CONFIDENCE if custom_confidence is None else custom_confidence
        case "best" | "default":
            return confidence_mode
    raise ValueError(f"confidence_mode is {confidence_mode!r}; right are best, default and custom")


def model_blocks(
    run: Run,
    outputs: Mapping[str, tuple[Kind, ...]],
    first: type[BlockManifest],
    *later: type[BlockManifest],
) -> tuple[Block, ...]:
    """The versions of one family.

    Args:
        run: of all of them.
        outputs: of the later versions; the first one does not say which model it asked, and has a plain text for the
            identity of the call.
        first: manifest of the first version.
        later: those of the others.
    """
    first_outputs = {name: kinds for name, kinds in outputs.items() if name != "model_id"}
    first_outputs["inference_id"] = (Kind.STRING,)
    return (
        model_block(without_model_id(run), first_outputs, first),
        *(model_block(run, outputs, manifest) for manifest in later),
    )


def model_block(run: Run, outputs: Mapping[str, tuple[Kind, ...]], manifest: type[BlockManifest]) -> Block:
    """One version: it asks the deployment of image models, once for each image."""
    return Block(manifest, run, outputs=outputs, runs_on=RunsOn.OBJECT_DETECTOR, batch_fields=("images",))


def without_model_id(run: Run) -> Run:
    """The same `run` for first versions, which do not say which model they asked."""

    @functools.wraps(run)
    async def first_version(*args: Any, **kwargs: Any) -> dict[str, Any]:
        return {name: value for name, value in (await run(*args, **kwargs)).items() if name != "model_id"}

    return first_version
