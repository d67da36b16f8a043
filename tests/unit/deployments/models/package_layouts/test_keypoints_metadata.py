from __future__ import annotations

import json
from pathlib import Path

import pytest

from deployments.models.errors import ModelPackageError
from deployments.models.package_layouts.contents import Skeleton
from deployments.models.package_layouts.keypoints_metadata import read_skeletons


def described(class_id: int, *names: str, edges: object = ()) -> dict[str, object]:
    return {
        "object_class_id": class_id,
        "keypoints": {str(index): name for index, name in enumerate(names)},
        "edges": list(edges),  # type: ignore[call-overload]
    }


def write(directory: Path, value: object) -> Path:
    (directory / "keypoints_metadata.json").write_text(json.dumps(value))
    return directory


def test_each_class_has_its_own_key_points_and_lines(tmp_path: Path) -> None:
    second = described(1, "left", "middle", "right", edges=[{"from": 0, "to": 1}, {"from": 1, "to": 2}])
    assert read_skeletons(write(tmp_path, [second, described(0, "nose")])) == (
        Skeleton(names=("nose",), edges=()),
        Skeleton(names=("left", "middle", "right"), edges=((0, 1), (1, 2))),
    )


def test_key_points_stand_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    names = {str(index): f"k{index}" for index in (10, 2, 0, 1, 3, 9, 8, 7, 6, 5, 4)}
    (skeleton,) = read_skeletons(write(tmp_path, [{"object_class_id": 0, "keypoints": names, "edges": []}]))
    assert skeleton.names == tuple(f"k{index}" for index in range(11))


def test_lines_may_be_missing(tmp_path: Path) -> None:
    (skeleton,) = read_skeletons(write(tmp_path, [{"object_class_id": 0, "keypoints": {"0": "nose"}}]))
    assert skeleton.edges == ()


def test_a_package_without_the_file_has_no_skeletons(tmp_path: Path) -> None:
    assert read_skeletons(tmp_path) == ()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "must be a list such as"),
        ([], "classes: List should have at least 1 item"),
        ([described(1, "nose")], "every class must be there once"),
        ([described(0, "nose"), described(0, "nose")], "every class must be there once"),
        ([{"object_class_id": 0}], "keypoints: Field required"),
        ([{"object_class_id": 0, "keypoints": {"1": "nose"}}], "from 0 on without a gap"),
        ([{"object_class_id": 0, "keypoints": {"nose": "0"}}], "valid integer"),
        ([described(0, "nose", edges=[{"from": 0, "to": 1}])], r"joins the key points \[0, 1\], and has 1"),
        ([described(0, "nose", edges=[{"from": 0}])], "to: Field required"),
    ],
)
def test_a_wrong_file_is_refused_and_told_what_is_right(tmp_path: Path, value: object, message: str) -> None:
    with pytest.raises(ModelPackageError, match=message):
        read_skeletons(write(tmp_path, value))


def test_what_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keypoints_metadata.json").write_text("[{")
    with pytest.raises(ModelPackageError, match=r"keypoints_metadata.json is not valid JSON"):
        read_skeletons(tmp_path)
