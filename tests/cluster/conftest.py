"""One cluster for all tests that only use it; those that stop or break one start their own."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from deployments.dataplane.sample import TUTORIAL
from tests.cluster.server import Server
from tests.conformance.detector_packages import write_detector_package
from tests.unit.deployments.models.task_graphs import write_classifier, write_pose, write_segmenter

OWN_MODEL = "plates-lite/1"
SEGMENTER, POSE, CLASSIFIER = "shapes/1", "people/1", "colours/1"
SAVED_WORKFLOW = "parking/read-plates"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running cluster behind HAProxy, with models and a saved workflow of its owner's."""
    models = tmp_path_factory.mktemp("models")
    write_detector_package(models / OWN_MODEL, OWN_MODEL, 640)
    write_segmenter(models / SEGMENTER, SEGMENTER)
    write_pose(models / POSE, POSE)
    write_classifier(models / CLASSIFIER, CLASSIFIER)
    workflows = tmp_path_factory.mktemp("workflows")
    saved = workflows / f"{SAVED_WORKFLOW}.json"
    saved.parent.mkdir()
    saved.write_text(json.dumps(TUTORIAL))
    started = Server("--models", str(models), "--workflows", str(workflows))
    try:
        started.wait_for("ready http")
        yield started
    finally:
        started.stop()
