"""The PP-OCR models that can be asked for, and the files of `rapidocr` that they are made of.

`rapidocr` is used for its ONNX files alone: none of its code is imported.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from deployments.models.errors import UnsupportedModelError
from deployments.models.image_preprocessing import ImagePreprocessing, Normalization, ResizeMode
from deployments.models.package import ModelPackage
from deployments.models.package_layouts.contents import RecommendedThresholds, TextMaps, TextReading
from deployments.models.tasks import Task

FAMILY = "pp_ocr"
SIZE = "small"
"""The one size that comes with `rapidocr`."""

NONE = "none"
DEFAULT_ID = f"{FAMILY}/{SIZE}-{SIZE}"

DETECTION_FILE = "PP-OCRv6_det_small.onnx"
RECOGNITION_FILE = "PP-OCRv6_rec_small.onnx"
DIRECTION_FILE = "ch_ppocr_mobile_v2.0_cls_mobile.onnx"

# Of rapidocr 3.10; they are compared before a file is opened. Source: rapidocr 3.10, MODEL_LICENSES.md.
SHA256 = {
    DETECTION_FILE: "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
    RECOGNITION_FILE: "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
    DIRECTION_FILE: "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c",
}

PAGE_SIDE_PX = 960
SIDE_DIVISOR = 32
LONGEST_LINE = 40.0
"""Width over height up to which a line is read in one piece; the network takes any width."""

MAX_PIECES = 4
"""Enough for a line 80 times as wide as high. A piece of 1920 columns keeps a core busy for the most of a second."""

MAX_BATCH = 8
"""A batch of eight lines of 320 columns gives 24 MiB of probabilities."""


def pp_ocr_packages() -> dict[str, ModelPackage]:
    """By id, whether `rapidocr` is installed or not: who asks for one where it is not shall be told so.

    The id names the sizes of the text detector and the text recognizer. Without a detector a picture is one line,
    without a recognizer only boxes are found.
    """
    packages = (
        _package(DEFAULT_ID, RECOGNITION_FILE, aliases=(f"{FAMILY}/default", f"{FAMILY}/{SIZE}")),
        _package(f"{FAMILY}/{NONE}-{SIZE}", RECOGNITION_FILE),
        _package(f"{FAMILY}/{SIZE}-{NONE}", DETECTION_FILE),
    )
    return {package.model_id: package for package in packages}


def pp_ocr_beside(known_ids: Collection[str]) -> dict[str, ModelPackage]:
    """Those by id that other models leave room for: a model with the id or a name of one of them takes its place."""
    return {
        model_id: replace(package, aliases=tuple(alias for alias in package.aliases if alias not in known_ids))
        for model_id, package in pp_ocr_packages().items()
        if model_id not in known_ids
    }


def stage_sizes(package: ModelPackage) -> tuple[str, str]:
    """Sizes of detector and recognizer."""
    detection, recognition = package.model_id.removeprefix(f"{FAMILY}/").split("-")
    return detection, recognition


def check_installed(package: ModelPackage) -> None:
    """Refuse a package whose files are not there.

    Raises:
        UnsupportedModelError: `rapidocr` is not installed; names the extra.
    """
    if not package.weights_path.is_file():
        raise UnsupportedModelError(
            f"model {package.model_id!r} needs the networks of rapidocr 3.10, which are not installed here; install "
            "sightline with its extra `pp-ocr`",
            package.model_id,
        )


def detection_part(package: ModelPackage) -> ModelPackage:
    """The text detector of a package."""
    part = replace(
        _part(package, DETECTION_FILE), task_type=Task.TEXT_DETECTION, text_maps=TextMaps(probabilities=True)
    )
    return replace(
        part,
        architecture="pp_ocr_db",
        preprocessing=replace(part.preprocessing, input_hw=(PAGE_SIDE_PX, PAGE_SIDE_PX)),
    )


def recognition_part(package: ModelPackage, vocabulary: str) -> ModelPackage:
    """The text recognizer of a package.

    Args:
        package: the whole.
        vocabulary: characters in the order of the network's outputs.
    """
    part = _part(package, RECOGNITION_FILE)
    return replace(
        part,
        architecture="pp_ocr_ctc",
        text_reading=TextReading(
            vocabulary=vocabulary,
            blank="first",
            probabilities=True,
            confidence="mean",
            critical_aspect_ratio=LONGEST_LINE,
            piece_aspect_ratio=LONGEST_LINE,
            max_pieces=MAX_PIECES,
        ),
        preprocessing=replace(part.preprocessing, input_hw=(48, 320)),
    )


def direction_part(package: ModelPackage) -> ModelPackage:
    """What tells lines that stand on their heads."""
    return _part(package, DIRECTION_FILE)


def _part(package: ModelPackage, file: str) -> ModelPackage:
    return replace(package, weights_path=package.directory / file, sha256=SHA256[file], file_sums={file: SHA256[file]})


def _package(model_id: str, file: str, aliases: tuple[str, ...] = ()) -> ModelPackage:
    directory = _models_directory()
    return ModelPackage(
        model_id=model_id,
        aliases=aliases,
        directory=directory,
        weights_path=directory / file,
        sha256=SHA256[file],
        task_type=Task.TEXT_RECOGNITION,
        architecture=FAMILY,
        class_names=(),
        removed_class_ids=(),
        preprocessing=ImagePreprocessing(
            resize_mode=ResizeMode.FIT_LONGER_EDGE,
            color_mode="bgr",
            padding_value=127,
            normalization=Normalization(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
            size_divisor=SIDE_DIVISOR,
        ),
        default_confidence=None,
        graph_suppresses=False,
        recommended=RecommendedThresholds(),
        text_reading=None,
        class_scores=None,
        skeletons=(),
        static_batch_size=None,
        max_batch_size=MAX_BATCH,
    )


def _models_directory() -> Path:
    """Where the files are; a folder that does not exist when `rapidocr` is not installed."""
    found = find_spec("rapidocr")
    if found is None or not found.submodule_search_locations:
        return Path("rapidocr")
    return Path(found.submodule_search_locations[0]) / "models"
