"""What a model folder holds, whichever layout it has."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from deployments.errors import ModelTaskError
from deployments.models.errors import InvalidModelIdError, ModelPackageError
from deployments.models.image_preprocessing import ImagePreprocessing
from deployments.models.model_id import check_model_id
from deployments.models.package_layouts.contents import (
    ClassScores,
    DoctrModel,
    EmulatedModel,
    PackageContents,
    RecommendedThresholds,
    Skeleton,
    TextMaps,
    TextReading,
    TritonModel,
)
from deployments.models.package_layouts.environment import ENVIRONMENT, MODEL_TYPE, read_environment
from deployments.models.package_layouts.manifest import Manifest, check_sizes, read_manifest
from deployments.models.package_layouts.model_config import INFERENCE_CONFIG, MODEL_CONFIG, read_model_config
from deployments.models.package_layouts.weights_file import check_weights_file
from deployments.models.tasks import Task, Tasks, in_words
from deployments.settings import Precision

CONFIG_FILES = (MODEL_CONFIG, INFERENCE_CONFIG, ENVIRONMENT, MODEL_TYPE)

DEFAULT_TASK = Task.OBJECT_DETECTION


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPackage:
    """Everything known about a model before it is loaded.

    Attributes:
        model_id: what requests call it.
        aliases: further names for it.
        directory: its folder.
        weights_path: its ONNX file; of a predictor of docTR the safetensors file of its text recognizer.
        weights_by_precision: further ONNX files of the same network, by their arithmetic.
        sha256: checksum of the weights, hexadecimal; None when the package does not declare one.
        task_type: such as `object-detection`.
        architecture: such as `yolov8`; None when the package does not say, then the graph decides.
        class_names: by class id as answered; empty when the package has none.
        removed_class_ids: classes of the network that are not answered, ascending; the others move up.
        preprocessing: pixels to network input.
        default_confidence: the model's own threshold; None when the package does not say.
        graph_suppresses: whether the graph drops overlapping boxes itself.
        recommended: thresholds found best.
        text_reading: for text recognizers.
        class_scores: for classifiers; None when the package does not say.
        skeletons: for models of key points, by class id as answered.
        text_maps: for text detectors.
        static_batch_size: the only batch that the graph takes; None when it takes any.
        max_batch_size: largest batch that is worth while; None when the package does not say.
        file_sums: SHA-256 of files in the folder, hexadecimal, where they are known.
        triton: where the model runs when it has no weights here; `weights_path` then leads nowhere.
        doctr: for predictors of docTR; None for all others.
        emulated: what stands in for weights that do not exist; `weights_path` then leads nowhere.
    """

    model_id: str
    aliases: tuple[str, ...]
    directory: Path
    weights_path: Path
    sha256: str | None
    task_type: str
    architecture: str | None
    class_names: tuple[str, ...]
    removed_class_ids: tuple[int, ...]
    preprocessing: ImagePreprocessing
    default_confidence: float | None
    graph_suppresses: bool
    recommended: RecommendedThresholds
    text_reading: TextReading | None
    class_scores: ClassScores | None
    skeletons: tuple[Skeleton, ...]
    static_batch_size: int | None
    max_batch_size: int | None
    weights_by_precision: Mapping[Precision, Path] = field(default_factory=dict)
    file_sums: Mapping[str, str] = field(default_factory=dict)
    triton: TritonModel | None = None
    text_maps: TextMaps = field(default_factory=TextMaps)
    doctr: DoctrModel | None = None
    emulated: EmulatedModel | None = None


def wrong_task(package: ModelPackage, wanted: Tasks) -> ModelTaskError:
    """What to tell somebody who wants something else of a model than it does."""
    return ModelTaskError(f"model {package.model_id!r} is for {package.task_type}, not for {in_words(wanted)}")


def read_package(directory: Path, fallback_id: str | None = None) -> ModelPackage:
    """The package in a folder, its weights checked against their checksum.

    Args:
        directory: the folder.
        fallback_id: the id when the package gives itself none; `<parent>/<folder>` when None.

    Raises:
        ModelPackageError: says which file is wrong, what is wrong in it and what would be right.
    """
    manifest = read_manifest(directory)
    if manifest is not None:
        check_sizes(directory, manifest)
    contents = read_model_config(directory) if (directory / MODEL_CONFIG).is_file() else _older(directory)
    model_id = contents.declared_id or fallback_id or f"{directory.parent.name}/{directory.name}"
    if manifest is not None:
        model_id = manifest.model_id
    _check_names((model_id, *contents.aliases), directory)
    weights_path = directory / contents.weights_file
    has_onnx = contents.triton is None and contents.doctr is None and contents.emulated is None
    variants = _variants(weights_path) if has_onnx else {}
    if contents.triton is None and contents.emulated is None:
        for path in (weights_path, *variants.values()):
            check_weights_file(path)
    if contents.doctr is not None:
        check_weights_file(directory / contents.doctr.detection_weights)
    _check_sums(directory, contents)
    declared_sums = {name: declared.lower() for name, declared in contents.sha256.items()}
    _check_thresholds(contents, directory)
    package = ModelPackage(
        model_id=model_id,
        aliases=tuple(dict.fromkeys(alias for alias in contents.aliases if alias != model_id)),
        directory=directory,
        weights_path=weights_path,
        sha256=declared_sums.get(contents.weights_file),
        task_type=contents.task_type or DEFAULT_TASK,
        architecture=contents.architecture,
        class_names=tuple(name for name in contents.class_names if name not in contents.removed_classes),
        removed_class_ids=tuple(
            class_id for class_id, name in enumerate(contents.class_names) if name in contents.removed_classes
        ),
        preprocessing=contents.preprocessing,
        default_confidence=contents.default_confidence,
        graph_suppresses=contents.graph_suppresses,
        recommended=contents.recommended,
        text_reading=contents.text_reading,
        class_scores=contents.class_scores,
        skeletons=tuple(
            skeleton
            for class_id, skeleton in enumerate(contents.skeletons)
            if class_id >= len(contents.class_names) or contents.class_names[class_id] not in contents.removed_classes
        ),
        static_batch_size=contents.static_batch_size,
        max_batch_size=contents.max_batch_size,
        weights_by_precision=variants,
        file_sums=declared_sums,
        triton=contents.triton,
        text_maps=contents.text_maps,
        doctr=contents.doctr,
        emulated=contents.emulated,
    )
    return package if manifest is None else with_manifest(package, manifest)


def with_manifest(package: ModelPackage, manifest: Manifest) -> ModelPackage:
    """The package under the names that it was added with, the checksums of its files known."""
    _check_names((manifest.model_id, *manifest.aliases), package.directory)
    sums = {name: file.sha256 for name, file in manifest.files.items()} | dict(package.file_sums)
    return replace(
        package,
        model_id=manifest.model_id,
        aliases=tuple(
            dict.fromkeys(alias for alias in (*package.aliases, *manifest.aliases) if alias != manifest.model_id)
        ),
        sha256=sums.get(package.weights_path.name),
        file_sums=sums,
    )


def _older(directory: Path) -> PackageContents:
    if (directory / INFERENCE_CONFIG).is_file():
        raise ModelPackageError(
            f"{MODEL_CONFIG} is missing beside {INFERENCE_CONFIG}; it names the architecture and the task",
            str(directory / MODEL_CONFIG),
        )
    return read_environment(directory)


def _check_names(names: Iterable[str], directory: Path) -> None:
    try:
        for name in names:
            check_model_id(name)
    except InvalidModelIdError as error:
        raise ModelPackageError(
            f"{error.message}; set model_id in {MODEL_CONFIG} or place the folder as <project>/<version>",
            str(directory),
        ) from error


def variant_paths(weights_path: Path) -> dict[Precision, Path]:
    """Where weights of other arithmetic are looked for: `weights.int8.onnx` beside `weights.onnx`."""
    precisions: tuple[Precision, ...] = ("fp16", "int8")
    return {precision: weights_path.with_suffix(f".{precision}.onnx") for precision in precisions}


def _variants(weights_path: Path) -> dict[Precision, Path]:
    return {precision: path for precision, path in variant_paths(weights_path).items() if path.is_file()}


def _check_sums(directory: Path, contents: PackageContents) -> None:
    for name, expected in contents.sha256.items():
        path = directory / name
        if Path(name).name != name or not path.is_file():
            raise ModelPackageError(
                f"{MODEL_CONFIG} has a sha256 for {name!r}, and the folder has no such file",
                str(directory / MODEL_CONFIG),
            )
        with path.open("rb") as file:
            actual = hashlib.file_digest(file, "sha256").hexdigest()
        if actual != expected.lower():
            raise ModelPackageError(
                f"{name} has sha256 {actual}, {MODEL_CONFIG} says {expected}: the file is damaged or not the one meant",
                str(path),
            )


def _check_thresholds(contents: PackageContents, directory: Path) -> None:
    unknown = sorted(set(contents.recommended.per_class_confidence) - set(contents.class_names))
    if unknown:
        raise ModelPackageError(
            f"{MODEL_CONFIG}: recommended_parameters has thresholds for {', '.join(unknown)}, which class_names.txt "
            "does not name",
            str(directory / MODEL_CONFIG),
        )
