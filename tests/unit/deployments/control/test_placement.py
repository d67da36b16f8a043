"""What the machines of a cluster can hold."""

from __future__ import annotations

import pytest

from deployments.control.placement import impossible_replicas, replica_resources


def config(**options):
    return {"applications": [{"name": "plates", "deployments": [{"name": "D", "ray_actor_options": options}]}]}


@pytest.mark.parametrize(
    ("options", "resources"),
    [
        ({}, {"CPU": 1.0}),
        ({"num_cpus": 0.5, "num_gpus": 0.25}, {"CPU": 0.5, "GPU": 0.25}),
        ({"num_cpus": 0, "accelerator_type": "L4"}, {"accelerator_type:L4": 0.001}),
        ({"num_cpus": 0, "resources": {"camera": 2}}, {"camera": 2.0}),
        ({"num_cpus": 0, "memory": 1000}, {"memory": 1000.0}),
    ],
)
def test_resources_of_a_replica_have_rays_names(options, resources):
    assert replica_resources(options) == resources


def test_a_replica_that_some_machine_can_hold_is_possible():
    machines = [{"CPU": 1.0}, {"CPU": 4.0, "GPU": 1.0, "accelerator_type:L4": 1.0}]
    assert impossible_replicas(config(num_cpus=2, num_gpus=0.5, accelerator_type="L4"), machines) == []


def test_what_the_largest_machine_lacks_is_named():
    lines = impossible_replicas(config(num_gpus=8), [{"CPU": 4.0, "GPU": 4.0}, {"CPU": 64.0}])
    assert lines == ["plates/D asks for 8 GPU (the largest machine has 4)"]


def test_an_accelerator_that_nobody_has_is_named():
    (line,) = impossible_replicas(config(accelerator_type="H100"), [{"CPU": 4.0, "accelerator_type:L4": 1.0}])
    assert line == "plates/D asks for an accelerator H100 (no machine has one)"


def test_resources_of_different_machines_do_not_add_up():
    (line,) = impossible_replicas(config(num_cpus=8, num_gpus=1), [{"CPU": 4.0, "GPU": 1.0}, {"CPU": 8.0}])
    assert "together on one machine" in line


def test_without_machines_nothing_fits():
    assert impossible_replicas(config(num_cpus=1), []) == ["plates/D asks for 1 CPU (the largest machine has 0)"]


def test_a_configuration_that_names_no_deployments_asks_for_nothing():
    assert impossible_replicas({"applications": [{"name": "plates"}]}, [{"CPU": 1.0}]) == []


def test_models_with_replicas_of_their_own_are_counted_too():
    config = {
        "applications": [
            {
                "name": "plates",
                "args": {
                    "models": {"plates/2": {"num_gpus": 2}, "cars/1": {"pinned": True}, "text/1": {"replicas": 1}}
                },
            }
        ]
    }
    assert impossible_replicas(config, [{"CPU": 4, "GPU": 1}]) == [
        "plates/plates/2 asks for 2 GPU (the largest machine has 1)"
    ]
    assert impossible_replicas(config, [{"CPU": 4, "GPU": 2}]) == []
