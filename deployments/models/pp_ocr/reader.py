"""From a PP-OCR package to what reads pages with it."""

from __future__ import annotations

from collections.abc import Callable

from deployments.models.engines.engine import Engine, metadata_of
from deployments.models.errors import ModelLoadError
from deployments.models.package import ModelPackage
from deployments.models.page_reading.page_reader import PageReader
from deployments.models.page_reading.region_reader import RegionReader
from deployments.models.page_reading.text_reader import TextReader
from deployments.models.pp_ocr.packages import (
    NONE,
    check_installed,
    detection_part,
    direction_part,
    recognition_part,
    stage_sizes,
)
from deployments.models.recognition.crnn import TextRecognizer
from deployments.models.recognition.text_direction import DirectedTextRecognizer
from deployments.models.text_detection.text_detector import TextDetector

SURE_FROM = 0.9
"""Mean confidence from which a picture in the shape of a line is taken for one line."""


def pp_ocr_reader(package: ModelPackage, open_part: Callable[[ModelPackage], Engine]) -> TextReader:
    """The reader that a package stands for.

    Args:
        package: of `pp_ocr_packages`.
        open_part: checks the weights of a part and loads them.

    Raises:
        UnsupportedModelError: the files are not installed.
        ModelLoadError: a file is damaged, or not what it should be.
    """
    check_installed(package)
    detection, recognition = stage_sizes(package)
    detector = None
    if detection != NONE:
        part = detection_part(package)
        detector = TextDetector(part, open_part(part))
        if recognition == NONE:
            return RegionReader(package, detector)
    return PageReader(package, _recognizer(package, open_part), detector, SURE_FROM)


def _recognizer(package: ModelPackage, open_part: Callable[[ModelPackage], Engine]) -> DirectedTextRecognizer:
    engine = open_part(recognition_part(package, vocabulary=""))
    characters = metadata_of(engine).get("character")
    if not characters:
        raise ModelLoadError(
            f"the text recognizer of {package.model_id!r} does not say which characters it knows; its metadata must "
            "hold them as `character`, one a line",
            package.model_id,
        )
    # The last class is a blank between words, which the list leaves out. Source: rapidocr 3.10, ch_ppocr_rec/utils.py.
    part = recognition_part(package, vocabulary="".join(characters.split("\n")) + " ")
    direction = direction_part(package)
    return DirectedTextRecognizer(direction, open_part(direction), TextRecognizer(part, engine))
