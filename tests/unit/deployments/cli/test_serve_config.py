"""Reading and checking the Serve configuration."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from deployments.cli.serve_config import (
    ServeConfigError,
    application_paths,
    check_serve_config,
    read_serve_config,
    with_overrides,
)
from deployments.settings import ClusterArgs, ReplicaTuning, RouterTuning

SHIPPED = Path(__file__).parents[4] / "serve_config.yaml"


def minimal(**application):
    return {"applications": [{"name": "plates", "import_path": "deployments.app:build", **application}]}


def test_the_shipped_configuration_is_right():
    config = read_serve_config(SHIPPED)
    check_serve_config(config, ClusterArgs)
    assert application_paths(config) == {"plates": "/"}


def test_the_shipped_configuration_says_everything_that_must_be_explicit():
    (application,) = read_serve_config(SHIPPED)["applications"]
    deployments = {deployment["name"]: deployment for deployment in application["deployments"]}
    assert set(deployments) == {"WorkflowRouter", "ObjectDetector", "TextReader", "TransformWorker"}
    for deployment in deployments.values():
        assert deployment["max_ongoing_requests"] >= 16
        assert deployment["autoscaling_config"]["min_replicas"] == 1
        assert deployment["autoscaling_config"]["max_replicas"] > 1
    assert sum(deployment["ray_actor_options"]["num_cpus"] for deployment in deployments.values()) <= 2
    RouterTuning.model_validate(deployments["WorkflowRouter"]["user_config"])
    ReplicaTuning.model_validate(deployments["TextReader"]["user_config"])


@pytest.mark.parametrize(
    ("content", "complaint"),
    [("a: [", "is no YAML"), ("[]", "list of `applications`"), ("applications: []", "list of `applications`")],
)
def test_a_file_that_is_no_configuration_is_refused(tmp_path, content, complaint):
    path = tmp_path / "serve_config.yaml"
    path.write_text(content)
    with pytest.raises(ServeConfigError, match=complaint):
        read_serve_config(path)


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(ServeConfigError, match=r"cannot read .*nothing\.yaml"):
        read_serve_config(tmp_path / "nothing.yaml")


def test_keys_that_serve_would_take_silently_are_refused_with_the_nearest_right_one():
    config = minimal(
        deployments=[
            {"name": "ObjectDetector", "num_replica": 2, "ray_actor_options": {"num_gpu": 1}},
            {"name": "TextReader", "autoscaling_config": {"min_replica": 1}},
        ]
    )
    config["http_option"] = {}
    with pytest.raises(ServeConfigError) as caught:
        check_serve_config(config, ClusterArgs)
    text = str(caught.value)
    assert "http_option: no such key; did you mean 'http_options'?" in text
    assert "ObjectDetector.num_replica: no such key; did you mean 'num_replicas'?" in text
    assert "ObjectDetector.ray_actor_options.num_gpu: no such key; did you mean 'num_gpus'?" in text
    assert "TextReader.autoscaling_config.min_replica: no such key; did you mean 'min_replicas'?" in text


def test_arguments_of_the_application_are_checked():
    with pytest.raises(ServeConfigError, match=r"applications.plates.args.ingress.max_pixel: Extra inputs"):
        check_serve_config(minimal(args={"ingress": {"max_pixel": 5}}), ClusterArgs)


def test_values_that_serve_refuses_are_said():
    with pytest.raises(ServeConfigError, match="num_cpus"):
        check_serve_config(
            minimal(deployments=[{"name": "TextReader", "ray_actor_options": {"num_cpus": -1}}]), ClusterArgs
        )


def test_overrides_are_merged_into_nested_arguments_and_leave_the_original_alone():
    config = minimal(args={"ingress": {"max_steps": 5}})
    config["http_options"] = {"host": "0.0.0.0", "port": 1}
    before = yaml.safe_dump(config)
    changed = with_overrides(config, http={"port": 2}, args={"ingress": {"max_images": 3}, "models_dir": "/m"})
    assert changed["http_options"] == {"host": "0.0.0.0", "port": 2}
    assert changed["applications"][0]["args"] == {"ingress": {"max_steps": 5, "max_images": 3}, "models_dir": "/m"}
    assert yaml.safe_dump(config) == before


def test_a_port_for_grpc_brings_the_protocol_with_it_and_nothing_does_so_unasked():
    assert "grpc_options" not in with_overrides(minimal(), http={}, args={})
    changed = with_overrides(minimal(), http={}, args={}, grpc_port=9002)
    assert changed["grpc_options"]["port"] == 9002
    assert changed["grpc_options"]["grpc_servicer_functions"] == ["deployments.kserve.grpc_service.add_to_server"]
    check_serve_config(changed, ClusterArgs)


def test_misspelt_options_of_grpc_are_refused():
    with pytest.raises(ServeConfigError, match=r"grpc_options\.prot: no such key"):
        check_serve_config({**minimal(), "grpc_options": {"prot": 1}}, ClusterArgs)
