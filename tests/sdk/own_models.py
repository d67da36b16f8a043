"""A user's folder of models: an export of a YOLOv8 with the names of its classes and nothing else, a torn copy, and
packages of every task beyond detection.
"""

from __future__ import annotations

from pathlib import Path

from tests.conformance.detector_packages import CLASSES, write_detector_package
from tests.unit.deployments.models.task_graphs import write_classifier, write_pose, write_segmenter

OWN_MODEL = "parking-lot/1"
TORN_MODEL = "parking-lot/2"
SEGMENTER, POSE, CLASSIFIER, TAGGER = "shapes/1", "people/1", "colours/1", "tags/1"


def write_own_models(root: Path) -> None:
    """What an exporter writes: `weights.onnx`, and a list of names that the user typed; the packages beside them."""
    write_detector_package(root / "whole", "not-read/1", 640)
    weights = (root / "whole" / "weights.onnx").read_bytes()
    for path in (root / "whole").iterdir():
        path.unlink()
    (root / "whole").rmdir()
    for model_id, content in ((OWN_MODEL, weights), (TORN_MODEL, weights[: len(weights) // 2])):
        folder = root / model_id
        folder.mkdir(parents=True)
        (folder / "weights.onnx").write_bytes(content)
        (folder / "class_names.txt").write_text("\n".join(CLASSES) + "\n")
    write_segmenter(root / SEGMENTER, SEGMENTER)
    write_pose(root / POSE, POSE)
    write_classifier(root / CLASSIFIER, CLASSIFIER)
    write_classifier(root / TAGGER, TAGGER, multi_label=True)
