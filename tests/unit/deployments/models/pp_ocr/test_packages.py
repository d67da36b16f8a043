from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from deployments.models.errors import UnsupportedModelError
from deployments.models.pp_ocr.packages import (
    check_installed,
    detection_part,
    pp_ocr_packages,
    recognition_part,
    stage_sizes,
)


def test_the_models_are_named_by_the_sizes_of_their_parts() -> None:
    packages = pp_ocr_packages()
    assert set(packages) == {"pp_ocr/small-small", "pp_ocr/none-small", "pp_ocr/small-none"}
    assert stage_sizes(packages["pp_ocr/small-none"]) == ("small", "none")
    assert packages["pp_ocr/small-small"].aliases == ("pp_ocr/default", "pp_ocr/small")


def test_who_asks_for_one_without_the_extra_is_told_its_name() -> None:
    missing = replace(pp_ocr_packages()["pp_ocr/small-small"], weights_path=Path("nowhere/weights.onnx"))
    with pytest.raises(UnsupportedModelError, match=r"with its extra `pp-ocr`") as caught:
        check_installed(missing)
    assert "nowhere" not in caught.value.message


def test_every_part_is_held_against_a_checksum_of_its_own() -> None:
    whole = pp_ocr_packages()["pp_ocr/small-small"]
    detection, recognition = detection_part(whole), recognition_part(whole, "AB")
    assert list(detection.file_sums) == [detection.weights_path.name]
    assert list(recognition.file_sums) == [recognition.weights_path.name]
    assert detection.file_sums != recognition.file_sums
