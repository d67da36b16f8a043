"""What the server must have that is compared with the reference: the models and saved workflows of the recordings."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conformance.detector_packages import write_detector_package

SDK_RECORDINGS = Path(__file__).parent / "sdk-1.8.3"


def write_models(root: Path) -> None:
    """Packages of the detectors that the reference had."""
    write_detector_package(root / "plates-lite", "plates-lite/1", 640)
    write_detector_package(root / "plates-320", "plates-320/1", 320)
    write_detector_package(root / "plates-stretch", "plates-stretch/1", 640, resize_mode="stretch")
    write_detector_package(root / "tutorial", "vehicle-registration-plates-trudk/2", 640)  # replaces the shipped one


def write_workflows(root: Path) -> None:
    """The definitions that were saved at the reference."""
    workspace = root / "local-ws"
    workspace.mkdir(parents=True, exist_ok=True)
    for name, recording in (
        ("detection", "infer_from_workflow_detection"),
        ("seed-plates", "infer_from_workflow_seed"),
    ):
        recorded = json.loads((SDK_RECORDINGS / f"{recording}.json").read_text())
        specification = recorded["exchanges"][0]["request"]["body"]["specification"]
        (workspace / f"{name}.json").write_text(json.dumps(specification))
