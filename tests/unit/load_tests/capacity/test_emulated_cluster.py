from __future__ import annotations

from pathlib import Path

import pytest

from deployments.cli.serve_config import check_serve_config
from deployments.models.package import read_package
from deployments.settings import ClusterArgs, RouterTuning
from load_tests.capacity.emulated_cluster import MODEL_ID, EmulatedCluster
from load_tests.capacity.series import clusters_of

CLUSTER = EmulatedCluster(replicas=2, devices=4, routers=3, fixed_ms=4, per_item_ms=1, max_batch_items=8)


def test_its_package_states_the_times(tmp_path: Path) -> None:
    CLUSTER.write_package(tmp_path / "emulated" / "1")
    package = read_package(tmp_path / "emulated" / "1")
    assert (package.model_id, package.max_batch_size) == (MODEL_ID, 8)
    assert package.emulated is not None
    assert (package.emulated.devices, package.emulated.service_times.ms(8)) == (4, 12)


def test_its_configuration_can_be_served_and_nothing_in_it_grows() -> None:
    config = CLUSTER.serve_config()
    check_serve_config(config, ClusterArgs)
    (application,) = config["applications"]
    deployments = {each["name"]: each for each in application["deployments"]}
    assert {name: each["num_replicas"] for name, each in deployments.items()} == {
        "WorkflowRouter": 3,
        "ObjectDetector": 1,
        "TextReader": 1,
        "TransformWorker": 1,
    }
    assert ClusterArgs.model_validate(application["args"]).models[MODEL_ID].replicas == 2
    tuning = RouterTuning.model_validate(deployments["WorkflowRouter"]["user_config"])
    assert tuning.object_detector.slots_per_replica == 8  # two calls for each of four devices


@pytest.mark.parametrize(
    ("accelerators", "most_replicas", "replicas", "devices"), [(1, 8, 1, 1), (8, 8, 8, 1), (16, 8, 8, 2), (64, 8, 8, 8)]
)
def test_beyond_so_many_processes_devices_share_one(
    accelerators: int, most_replicas: int, replicas: int, devices: int
) -> None:
    cluster = clusters_of(accelerators, most_replicas)
    assert (cluster.replicas, cluster.devices, cluster.accelerators) == (replicas, devices, accelerators)


def test_what_cannot_be_shared_evenly_is_refused() -> None:
    with pytest.raises(ValueError, match="9 accelerators do not share 8 replicas evenly"):
        clusters_of(9, 8)
