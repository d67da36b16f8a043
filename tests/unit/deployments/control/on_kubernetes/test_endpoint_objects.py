"""What Kubernetes is given for an endpoint, by its machine type and the platform's values."""

from __future__ import annotations

import json

import pytest
import yaml

from deployments.control.machine_types import BUILT_IN, MachineType
from deployments.control.on_kubernetes.endpoint_objects import endpoint_objects, parts_of, replicas_of_a_pod
from deployments.control.platform import EndpointSpec
from deployments.kubernetes.errors import ValuesError
from deployments.kubernetes.monitoring import monitoring_objects
from deployments.kubernetes.values import Values
from tests.unit.deployments.kubernetes.shipped import ENVIRONMENT, SHIPPED

VALUES = Values.model_validate({"worker_groups": [{"name": "cpu", "cpu": 4, "memory": "8Gi"}]})
TYPES = {kind.name: kind for kind in BUILT_IN}


def made(kind: MachineType, values: Values = VALUES, **more):
    spec = EndpointSpec(name="plates", workspace="acme", machine_type=kind, **more)
    return spec, endpoint_objects(spec, values, SHIPPED, ENVIRONMENT)


def group_of(objects):
    (group,) = objects.ray_service["spec"]["rayClusterConfig"]["workerGroupSpecs"]
    return group, group["template"]["spec"]


def config_of(objects):
    return yaml.safe_load(objects.ray_service["spec"]["serveConfigV2"])["applications"][0]


@pytest.mark.parametrize(
    ("name", "cpus", "gpus", "pods"),
    [
        # replicas 3 to 5: a pod each without cards and with whole ones; four replicas share a card of a quarter each
        ("dev-cpu", "1", None, (3, 5)),
        ("prod-cpu", "1", None, (3, 5)),
        ("prod-gpu", "4", "1", (3, 5)),
        ("dev-gpu", "3", "1", (1, 2)),  # 4 times 0.6 CPUs
    ],
)
def test_each_built_in_type_has_pods_that_hold_its_replicas(name, cpus, gpus, pods):
    _, objects = made(TYPES[name], min_replicas=3, max_replicas=5)
    group, pod = group_of(objects)
    limits = pod["containers"][0]["resources"]["limits"]
    assert (limits["cpu"], limits.get("nvidia.com/gpu")) == (cpus, gpus)
    assert (group["minReplicas"], group["maxReplicas"]) == pods
    deployments = config_of(objects)["deployments"]
    assert all(each["autoscaling_config"]["min_replicas"] == 3 for each in deployments)
    # One replica's processes fit into one pod.
    assert sum(each["ray_actor_options"]["num_cpus"] for each in deployments) <= float(cpus)


def test_prometheus_finds_every_pod_under_the_name_of_its_endpoint():
    monitor = next(each for each in monitoring_objects(VALUES) if each["metadata"]["name"] == "sightline-endpoints")
    spec, objects = made(TYPES["dev-cpu"])
    head = objects.ray_service["spec"]["rayClusterConfig"]["headGroupSpec"]
    for group in (head, group_of(objects)[0]):
        found = group["template"]["metadata"]["labels"]
        assert monitor["spec"]["selector"]["matchLabels"].items() <= found.items()
        assert found["sightline/subdomain"] == spec.name
        ports = {port["name"] for port in group["template"]["spec"]["containers"][0]["ports"]}
        assert "metrics" in ports & {each["port"] for each in monitor["spec"]["podMetricsEndpoints"]}


def test_two_thirds_of_a_cpu_for_each_of_three_processes_are_not_more_than_two_cpus():
    _, objects = made(MachineType(name="two", num_cpus=2, transforms_in_router=True))
    assert sum(each["ray_actor_options"]["num_cpus"] for each in config_of(objects)["deployments"]) <= 2
    assert group_of(objects)[1]["containers"][0]["resources"]["limits"]["cpu"] == "2"


@pytest.mark.parametrize(("num_gpus", "together"), [(0, 1), (0.25, 4), (0.4, 2), (0.5, 2), (1, 1), (2, 1)])
def test_replicas_share_a_card_when_they_take_less_than_one(num_gpus, together):
    assert replicas_of_a_pod(MachineType(name="x", num_gpus=num_gpus)) == together


def test_a_card_is_asked_for_by_its_label_and_announced_to_ray():
    _, objects = made(MachineType(name="l4", num_cpus=4, num_gpus=1, accelerator_type="L4"))
    group, pod = group_of(objects)
    assert pod["nodeSelector"] == {"nvidia.com/gpu.product": "NVIDIA-L4"}
    assert json.loads(json.loads(group["rayStartParams"]["resources"])) == {"accelerator_type:L4": 1}


def test_any_card_is_one_that_feature_discovery_saw():
    _, objects = made(TYPES["prod-gpu"])
    assert group_of(objects)[1]["nodeSelector"] == {"nvidia.com/gpu.present": "true"}


def test_labels_of_a_type_choose_machines_and_say_nothing_to_ray():
    kind = MachineType(name="own", num_gpus=1, accelerator_type="ABACUS", labels={"shelf": "3"})
    _, objects = made(kind)
    assert group_of(objects)[1]["nodeSelector"] == {"shelf": "3"}
    options = [each["ray_actor_options"] for each in config_of(objects)["deployments"]]
    assert [each for each in options if "label_selector" in each or "accelerator_type" in each] == []


def test_a_card_without_a_label_is_refused_with_those_that_have_one():
    with pytest.raises(ValuesError, match="ABACUS; known are T4, L4, A100, H100, H200"):
        made(MachineType(name="own", num_gpus=1, accelerator_type="ABACUS"))


def test_memory_of_a_pod_is_that_of_its_replicas_and_of_ray():
    _, objects = made(MachineType(name="own", memory_bytes=2 * 1024**3))
    assert group_of(objects)[1]["containers"][0]["resources"]["limits"]["memory"] == "3072Mi"
    assert group_of(made(TYPES["prod-cpu"])[1])[1]["containers"][0]["resources"]["limits"]["memory"] == "4Gi"


def test_everything_says_whose_it_is_and_no_other_revision_has_its_name():
    spec, objects = made(TYPES["prod-cpu"])
    _, others = made(TYPES["prod-cpu"], args={"text_reader_model": "pp_ocr/default"})
    for item, other in zip(*([made.ray_service, made.policy, made.budget] for made in (objects, others)), strict=True):
        assert parts_of(item) == ("plates", spec.revision)
        assert item["metadata"]["name"] != other["metadata"]["name"]
    pods = [
        objects.ray_service["spec"]["rayClusterConfig"]["headGroupSpec"]["template"],
        group_of(objects)[0]["template"],
    ]
    assert {pod["metadata"]["labels"]["sightline/subdomain"] for pod in pods} == {"plates"}


def test_what_was_not_made_by_the_control_plane_is_nobodys_revision():
    assert parts_of({"metadata": {"name": "plates"}}) is None
    assert parts_of({"metadata": {"name": "plates", "labels": {"sightline/subdomain": "plates"}}}) is None


def test_a_resize_changes_no_pod():
    """A pod template that changes makes KubeRay start another cluster."""
    kind = TYPES["dev-gpu"]
    (_, few), (_, many) = made(kind, max_replicas=1), made(kind, min_replicas=9, max_replicas=12)
    assert group_of(few)[0]["template"] == group_of(many)[0]["template"]
    few_spec, many_spec = (each.ray_service["spec"]["rayClusterConfig"] for each in (few, many))
    assert few_spec["headGroupSpec"] == many_spec["headGroupSpec"]


def test_where_pods_reach_the_database_requests_need_keys_of_the_owner():
    values = VALUES.model_copy(
        update={"control": VALUES.control.model_copy(update={"enabled": True, "database_secret": "postgres"})}
    )
    _, objects = made(TYPES["prod-cpu"], values, args={"ingress": {"require_keys": False}})
    ingress = config_of(objects)["args"]["ingress"]
    assert (ingress["require_keys"], ingress["keys_workspace"]) == (True, "acme")
    variables = {each["name"]: each for each in group_of(objects)[1]["containers"][0]["env"]}
    assert variables["SIGHTLINE_DATABASE_URL"]["valueFrom"]["secretKeyRef"] == {"name": "postgres", "key": "url"}
    assert {"port": 5432, "protocol": "TCP"} in [
        port for rule in objects.policy["spec"]["egress"] for port in rule.get("ports", ())
    ]
    assert "ingress" not in config_of(made(TYPES["prod-cpu"])[1])["args"]
