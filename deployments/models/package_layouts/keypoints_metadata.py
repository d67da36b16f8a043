"""`keypoints_metadata.json`: what the key points of each class are called, and which of them are joined."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel, Field

from deployments.models.errors import ModelPackageError
from deployments.models.package_layouts.contents import Skeleton
from deployments.models.package_layouts.files import check_schema, read_text

KEYPOINTS_METADATA = "keypoints_metadata.json"
EXAMPLE = '[{"object_class_id": 0, "keypoints": {"0": "nose", "1": "tail"}, "edges": [{"from": 0, "to": 1}]}]'


class EdgeJson(BaseModel):
    """A line between two key points, by their ids."""

    start: int = Field(alias="from", ge=0)
    end: int = Field(alias="to", ge=0)


class SkeletonJson(BaseModel):
    """The key points of one class, by their ids as texts."""

    object_class_id: int = Field(ge=0)
    keypoints: dict[int, str]
    edges: list[EdgeJson] = []


class KeypointsMetadata(BaseModel):
    """All classes."""

    classes: list[SkeletonJson] = Field(min_length=1)


def read_skeletons(directory: Path) -> tuple[Skeleton, ...]:
    """Skeletons by class id; none when there is no such file.

    Raises:
        ModelPackageError: no JSON list, or one that leaves out a class or a key point.
    """
    path = directory / KEYPOINTS_METADATA
    if not path.is_file():
        return ()
    try:
        value = json.loads(read_text(path))
    except (json.JSONDecodeError, RecursionError) as error:
        raise ModelPackageError(f"{path.name} is not valid JSON: {error}", str(path)) from error
    if not isinstance(value, list):
        raise ModelPackageError(f"{path.name} must be a list such as {EXAMPLE}, not {type(value).__name__}", str(path))
    classes = check_schema(KeypointsMetadata, {"classes": value}, path, path.name).classes
    described = {each.object_class_id: each for each in classes}
    if len(described) != len(value) or set(described) != set(range(len(value))):
        raise ModelPackageError(
            f"{path.name} describes the classes {sorted(described)}; every class must be there once, from 0 on without "
            f"a gap, such as {EXAMPLE}",
            str(path),
        )
    return tuple(_skeleton(described[class_id], path) for class_id in sorted(described))


def _skeleton(sent: SkeletonJson, path: Path) -> Skeleton:
    count = len(sent.keypoints)
    if set(sent.keypoints) != set(range(count)):
        raise ModelPackageError(
            f"{path.name}: the key points of class {sent.object_class_id} are numbered {sorted(sent.keypoints)}; they "
            "must count from 0 on without a gap",
            str(path),
        )
    edges = tuple((edge.start, edge.end) for edge in sent.edges)
    beyond = [edge for edge in edges if max(edge) >= count]
    if beyond:
        raise ModelPackageError(
            f"{path.name}: class {sent.object_class_id} joins the key points {list(beyond[0])}, and has {count}",
            str(path),
        )
    return Skeleton(names=tuple(sent.keypoints[index] for index in range(count)), edges=edges)
