"""What is rendered, held against what it is made of and against Ray's own reading of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import ray
import yaml
from ray.autoscaler._private.kuberay.autoscaling_config import _derive_autoscaling_config_from_ray_cr

from deployments.cli.serve_config import check_serve_config
from deployments.kubernetes.errors import ValuesError
from deployments.kubernetes.kustomize_tree import tree
from deployments.kubernetes.ray_service import RAY_VERSION
from deployments.kubernetes.values import Values
from deployments.settings import ClusterArgs
from tests.unit.deployments.kubernetes.shipped import (
    ENVIRONMENT,
    FOLDER,
    OVERLAYS,
    SHIPPED,
    overlay_values,
    rendered,
)


def test_the_files_of_kustomize_are_those_that_would_be_written_now():
    written = {
        str(path.relative_to(FOLDER)): path.read_text()
        for part in ("base", "components", "overlays")
        for path in (FOLDER / part).rglob("*.yaml")
        if path.name != "values.yaml"
    }
    assert written == tree(FOLDER, SHIPPED, ENVIRONMENT), "run `make manifests`"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_serve_is_given_the_shipped_configuration_where_the_values_say_nothing_else(overlay):
    values = overlay_values(overlay)
    service = rendered(values)["RayService", values.name]
    config = yaml.safe_load(service["spec"]["serveConfigV2"])
    check_serve_config(config, ClusterArgs)
    ours = {each["name"]: each for each in config["applications"][0]["deployments"]}
    shipped = {each["name"]: each for each in SHIPPED["applications"][0]["deployments"]}
    assert ours.keys() == shipped.keys()
    for name, theirs in shipped.items():
        changed = ("autoscaling_config", "ray_actor_options")
        assert {k: v for k, v in ours[name].items() if k not in changed} == {
            k: v for k, v in theirs.items() if k not in changed
        }
        if name not in values.deployments:
            assert ours[name] == theirs


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_all_processes_have_the_environment_that_the_launcher_sets(overlay):
    values = overlay_values(overlay)
    cluster = rendered(values)["RayService", values.name]["spec"]["rayClusterConfig"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        variables = {each["name"]: each["value"] for each in group["template"]["spec"]["containers"][0]["env"]}
        assert variables.items() >= ENVIRONMENT.items()


def test_rays_autoscaler_reads_the_cards_of_each_group():
    cluster = rendered(overlay_values("gpu"))["RayService", "plates"]["spec"]["rayClusterConfig"]
    resource = {"metadata": {"name": "plates", "namespace": "sightline"}, "spec": cluster}
    kinds = _derive_autoscaling_config_from_ray_cr(resource)["available_node_types"]
    assert kinds["headgroup"]["resources"]["CPU"] == 0
    cards = {name: kind["resources"] for name, kind in kinds.items() if "GPU" in kind["resources"]}
    assert set(cards) == {"t4", "l4", "a100", "h100", "h200"}
    for name, resources in cards.items():
        assert (resources["GPU"], resources[f"accelerator_type:{name.upper()}"]) == (1, 1)
    assert kinds["cpu"]["resources"] == {"CPU": 4, "memory": 8 * 1024**3}


def test_the_version_of_ray_is_the_installed_one():
    assert ray.__version__ == RAY_VERSION


def test_series_of_panels_and_alerts_are_ones_that_serve_counts():
    source = "".join(path.read_text() for path in (Path(ray.__file__).parent / "serve").rglob("*.py"))
    manifests = "".join(path.read_text() for path in (FOLDER / "components/monitoring").glob("*.yaml"))
    series = set(re.findall(r"ray_(serve_\w+?)(?:_total|_bucket)?[{]", manifests))
    assert len(series) >= 4
    assert {name for name in series if f'"{name}"' not in source} == set()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"deployments": {"ObjectDetektor": {}}}, "ObjectDetektor"),
        ({"deployments": {"ObjectDetector": {"num_gpus": 1, "accelerator_type": "L4"}}}, "accelerator L4"),
        ({"deployments": {"ObjectDetector": {"num_cpus": 5}}}, "asks for 5 CPU"),
        ({"deployments": {"TextReader": {"min_replicas": 20, "max_replicas": 20, "num_cpus": 4}}}, "together ask"),
        ({"startup_s": 3600}, "liveness"),
    ],
)
def test_what_could_not_run_is_refused(change, said):
    content = {"worker_groups": [{"name": "cpu", "cpu": 4, "memory": "8Gi"}], **change}
    with pytest.raises(ValuesError) as refusal:
        rendered(Values.model_validate(content))
    assert said in refusal.value.message


def test_a_redis_that_exists_is_not_deployed_again():
    content = {
        "worker_groups": [{"name": "cpu", "cpu": 4, "memory": "8Gi"}],
        "gcs": {"backend": "redis", "address": "redis.stores.svc:6390"},
    }
    objects = rendered(Values.model_validate(content))
    assert ("StatefulSet", "sightline-redis") not in objects
    ports = [
        port["port"] for rule in objects["NetworkPolicy", "plates"]["spec"]["egress"] for port in rule.get("ports", [])
    ]
    assert 6390 in ports


def test_an_ingress_serves_clusters_without_gateways():
    content = {"worker_groups": [{"name": "cpu", "cpu": 4, "memory": "8Gi"}], "route": {"kind": "ingress"}}
    ingress = rendered(Values.model_validate(content))["Ingress", "plates"]
    assert ingress["spec"]["rules"][0]["host"] == "plates.example.com"
    assert ingress["spec"]["tls"][0]["hosts"] == ["*.example.com"]


def test_the_pods_of_each_gateway_may_send_requests():
    policy = rendered(overlay_values("cpu"))["NetworkPolicy", "plates"]
    gateway = "gateway.networking.k8s.io/gateway-name"
    let_in = [
        source["podSelector"]["matchLabels"][gateway]
        for rule in policy["spec"]["ingress"]
        if {"port": 8000, "protocol": "TCP"} in rule.get("ports", [])
        for source in rule["from"]
        if gateway in source.get("podSelector", {}).get("matchLabels", {})
    ]
    assert let_in == ["sightline", "plates-gateway"]
