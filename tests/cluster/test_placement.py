"""GPUs, as `serve_config.yaml` pins them, on a machine that claims to have four."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from tests.cluster.server import ROOT, Server

pytestmark = pytest.mark.cluster

FAKE_GPUS = {"RAY_OVERRIDE_RESOURCES": json.dumps({"CPU": 4, "GPU": 4, "accelerator_type:L4": 1})}


def config_with(path, **options: dict):
    """serve_config.yaml with other actor options and fixed replicas for some deployments."""
    config = yaml.safe_load((ROOT / "serve_config.yaml").read_text())
    for deployment in config["applications"][0]["deployments"]:
        if deployment["name"] in options:
            replicas, actor_options = options[deployment["name"]]
            deployment.pop("autoscaling_config")
            deployment["num_replicas"] = replicas
            deployment["ray_actor_options"] |= actor_options
    path.write_text(yaml.safe_dump(config))
    return path


def gpus_of(server, role: str) -> list[str]:
    found = (re.search(r"gpu_ids=(\S+)", log.read_text()) for log in server.log_dir.glob(f"{role}-*.log"))
    return sorted(match[1] if match else "" for match in found)


def test_replicas_get_the_gpus_that_the_configuration_gives_them(tmp_path):
    config = config_with(
        tmp_path / "serve_config.yaml",
        ObjectDetector=(2, {"num_gpus": 0.5, "accelerator_type": "L4"}),
        TextReader=(1, {"num_gpus": 1}),
    )
    server = Server("--config", str(config), environment=FAKE_GPUS)
    try:
        server.wait_for("ready http")
        first, second = gpus_of(server, "object-detector")
        (reader,) = gpus_of(server, "text-reader")
        assert first == second
        assert reader != first
        assert {first, reader} <= {"0", "1", "2", "3"}
        assert gpus_of(server, "transform-worker") == [""]
    finally:
        server.stop()


def test_what_no_machine_can_hold_is_said_instead_of_waited_for(tmp_path):
    config = config_with(
        tmp_path / "serve_config.yaml",
        ObjectDetector=(1, {"num_gpus": 8}),
        TextReader=(1, {"num_gpus": 1, "accelerator_type": "H100"}),
    )
    server = Server("--config", str(config), environment=FAKE_GPUS)
    assert server.exit_status(60) == 1
    assert "plates/ObjectDetector asks for 8 GPU (the largest machine has 4)" in server.output
    assert "plates/TextReader asks for an accelerator H100 (no machine has one)" in server.output
