"""The manifests as kubectl renders them, held against every schema there is."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from deployments.kubernetes.alerts import alert_groups, alert_groups_of_made
from tests.k8s.alert_cases import CASES, PAUSED, STARTING, of_made
from tests.k8s.crd_schema import problems
from tests.unit.deployments.kubernetes.shipped import FOLDER, OVERLAYS, ROOT, overlay_values, rendered

TOOLS = ROOT / ".venv-k8s/bin"
CUSTOM = ("ray.io/", "gateway.networking.k8s.io/", "cert-manager.io/", "monitoring.coreos.com/")


def tool(name: str) -> str:
    path = shutil.which(name) or (str(TOOLS / name) if (TOOLS / name).exists() else None)
    if path is None:
        pytest.skip(f"{name} is not installed: `make test-k8s` installs it, or put it on the PATH")
    return path


@pytest.fixture(scope="module", params=OVERLAYS)
def overlay(request):
    return request.param


@pytest.fixture(scope="module")
def objects(overlay):
    return list(rendered(overlay_values(overlay)).values())


def test_kubectl_renders_what_the_command_prints(overlay, objects):
    kubectl = tool("kubectl")
    text = subprocess.run(
        [kubectl, "kustomize", FOLDER / "overlays" / overlay], capture_output=True, text=True, check=True
    ).stdout
    ours = {(item["kind"], item["metadata"]["name"]): item for item in objects}
    assert {(item["kind"], item["metadata"]["name"]): item for item in yaml.safe_load_all(text)} == ours


def test_the_ray_service_has_no_field_that_kuberay_does_not_know(objects):
    (service,) = [item for item in objects if item["kind"] == "RayService"]
    assert problems(service) == []
    wrong = copy.deepcopy(service)
    wrong["spec"]["rayClusterConfig"]["headGroupSpec"]["template"]["spec"]["containers"][0]["imgae"] = "x"
    assert problems(wrong)


def test_kinds_of_kubernetes_are_strictly_valid(objects, tmp_path):
    command = tool("kubernetes-validate")
    core = [item for item in objects if not item["apiVersion"].startswith(CUSTOM)]
    path = tmp_path / "core.yaml"
    path.write_text(yaml.safe_dump_all(core))
    done = subprocess.run([command, "--strict", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(core) >= 4


def test_checkov_finds_nothing_that_is_not_justified_in_the_manifest(objects, tmp_path):
    command = tool("checkov")
    pods = []
    for item in objects:
        if item["kind"] == "RayService":
            cluster = item["spec"]["rayClusterConfig"]
            for group in (cluster["headGroupSpec"], *cluster.get("workerGroupSpecs", ())):
                metadata = {**group["template"]["metadata"], "name": group.get("groupName", "head")}
                metadata["namespace"] = item["metadata"]["namespace"]
                pods.append(
                    {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": group["template"]["spec"]}
                )
        elif not item["apiVersion"].startswith(CUSTOM):
            pods.append(item)
    path = tmp_path / "pods.yaml"
    path.write_text(yaml.safe_dump_all(pods))
    done = subprocess.run(
        [command, "-f", path, "--framework", "kubernetes", "--skip-download", "--compact", "-o", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(done.stdout)
    failed = [
        f"{each['check_id']} {each['resource']}: {each['check_name']}" for each in report["results"]["failed_checks"]
    ]
    assert failed == []
    assert report["summary"]["passed"] > 50
    assert all(each["check_result"]["suppress_comment"] for each in report["results"]["skipped_checks"])


def test_prometheus_raises_each_alert_when_it_should_and_not_else(tmp_path):
    groups = alert_groups("plates")
    rules = {rule["alert"]: rule for rule in groups[0]["rules"]}
    assert list(CASES) == list(rules)
    tests = []
    for name, (labels, rings, quiet) in CASES.items():
        said = {"exp_labels": {**labels, **rules[name]["labels"]}, "exp_annotations": rules[name]["annotations"]}
        tests += [alert_test(name, rings, [said]), alert_test(name, quiet, [])]
    run_alert_tests(groups, tests, tmp_path)


def test_an_endpoint_that_the_control_plane_makes_raises_the_same_alerts_under_its_own_name(tmp_path):
    groups = alert_groups_of_made()
    rules = {rule["alert"]: rule for rule in groups[0]["rules"]}
    assert list(CASES) == list(rules)
    tests = []
    for name, (labels, rings, quiet) in CASES.items():
        annotations = dict(rules[name]["annotations"])
        annotations["summary"] = annotations["summary"].replace("{{ $labels.server }}", "plates")
        said = {"exp_labels": {**labels, **rules[name]["labels"], "server": "plates"}, "exp_annotations": annotations}
        others = {series.replace("plates", "trucks"): values for series, values in of_made(quiet).items()}
        tests += [
            alert_test(name, {**of_made(rings), **others}, [said]),
            alert_test(name, of_made(quiet), []),
            alert_test(name, rings, []),  # of the endpoint of the manifests, which has rules of its own
            alert_test(name, {}, []),
            alert_test(name, of_made(PAUSED), []),
            alert_test(name, of_made(STARTING), []),
        ]
    run_alert_tests(groups, tests, tmp_path)


def alert_test(alert: str, series: dict[str, str], expected: list[dict]) -> dict:
    return {
        "interval": "1m",
        "input_series": [{"series": each, "values": values} for each, values in series.items()],
        "alert_rule_test": [{"eval_time": "30m", "alertname": alert, "exp_alerts": expected}],
    }


def run_alert_tests(groups: list[dict], tests: list[dict], folder: Path) -> None:
    promtool = tool("promtool")
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": groups}))
    content = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests}
    (folder / "tests.yaml").write_text(yaml.safe_dump(content))
    done = subprocess.run(
        [promtool, "test", "rules", "tests.yaml"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_images_file_copies_only_what_is_there():
    lines = Path(FOLDER / "Dockerfile").read_text().splitlines()
    sources = [
        word for line in lines if line.startswith("COPY ") and "--from" not in line for word in line.split()[1:-1]
    ]
    assert sources
    assert [source for source in sources if not (ROOT / source).exists()] == []
