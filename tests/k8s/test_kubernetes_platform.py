"""Endpoints on Kubernetes: the real control plane and the official client, and an API server that checks and fails."""

from __future__ import annotations

import time
from collections import Counter

import pytest
import yaml

from deployments.control.bodies import EndpointConfig
from deployments.control.on_kubernetes.cluster_api import ClusterApi
from deployments.kubernetes.control_plane import control_objects
from deployments.kubernetes.values import Values
from tests.k8s.crd_schema import problems
from tests.k8s.fake_cluster.api_server import ApiServer, flaky
from tests.k8s.fake_cluster.operator import Operator
from tests.k8s.house import VALUES, WORKSPACE, House, api


@pytest.fixture
def server():
    with ApiServer() as started:
        yield started


@pytest.fixture
def house(server, tmp_path):
    made = House(server, tmp_path)
    yield made
    made.stop()


def only(server, plural):
    (item,) = server.store.all(plural)[0]
    return item


def test_without_endpoints_nothing_is_made(house, server):
    house.round()
    assert house.reconciler.round() is False
    assert {verb for verb, _, _ in server.used} == {"list", "watch"}


def test_an_endpoint_becomes_a_ray_service_and_what_guards_it(house, server):
    house.add()
    house.becomes("ready")
    service = only(server, "rayservices")
    assert problems(service) == []
    name = service["metadata"]["name"]
    assert name.startswith("plates-r")
    config = yaml.safe_load(service["spec"]["serveConfigV2"])["applications"][0]
    assert config["route_prefix"] == "/"
    assert sum(each["ray_actor_options"]["num_cpus"] for each in config["deployments"]) == pytest.approx(1.0)
    for plural in ("networkpolicies", "poddisruptionbudgets"):
        (owner,) = only(server, plural)["metadata"]["ownerReferences"]
        assert owner["uid"] == service["metadata"]["uid"]
    assert house.route() == f"{name}-serve-svc"
    assert house.endpoint().num_replicas == 1
    assert server.refusals == []


def test_it_is_ready_only_when_it_has_answered_through_its_service(house):
    house.add()
    house.until(lambda: house.names("rayservices") != [])
    name = house.names("rayservices")[0]
    house.operator.cold.add(name)
    house.until(
        lambda: (house.server.store.get("rayservices", name).get("status") or {}).get("serviceStatus") == "Running"
    )
    for _ in range(10):
        house.round()
    assert house.status() == "pending"
    assert house.route() == "sightline-control"
    house.operator.cold.clear()
    house.becomes("ready")


def test_a_pause_suspends_it_and_its_host_says_so(house, server):
    house.add()
    house.becomes("ready")
    house.service.pause(WORKSPACE, "plates")
    house.becomes("paused")
    assert only(server, "rayservices")["spec"]["suspend"] is True
    assert house.names("pods") == []
    assert house.route() == "sightline-control"
    answer = house.resting.answer(["plates.example.com:443"])
    assert answer is not None
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    house.service.resume(WORKSPACE, "plates")
    house.becomes("ready")
    assert only(server, "rayservices")["spec"]["suspend"] is False
    assert house.route() == only(server, "rayservices")["metadata"]["name"] + "-serve-svc"


def test_what_answered_before_a_pause_is_not_believed_after_it(house):
    house.add()
    house.becomes("ready")
    house.service.pause(WORKSPACE, "plates")
    house.becomes("paused")
    house.operator.cold.update(house.names("rayservices"))
    house.service.resume(WORKSPACE, "plates")
    house.until(lambda: bool(house.operator.running))
    for _ in range(10):
        house.round()
    assert house.status() == "pending"


def test_what_the_values_no_longer_say_is_gone_after_a_pause(house, server):
    house.add()
    house.becomes("ready")
    assert "gcsFaultToleranceOptions" in only(server, "rayservices")["spec"]["rayClusterConfig"]
    house.service.pause(WORKSPACE, "plates")
    house.becomes("paused")
    house.stop()
    house.values = Values.model_validate({**VALUES.model_dump(exclude_unset=True), "gcs": {"backend": "none"}})
    house.start()
    house.service.resume(WORKSPACE, "plates")
    house.becomes("ready")
    assert "gcsFaultToleranceOptions" not in only(server, "rayservices")["spec"]["rayClusterConfig"]


def test_a_resize_patches_it_in_place(house, server):
    house.add()
    house.becomes("ready")
    before = only(server, "rayservices")
    pods = house.names("pods")
    house.service.resize(WORKSPACE, "plates", 2, 3)
    house.until(lambda: house.endpoint().num_replicas == 2)
    after = only(server, "rayservices")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    growth = yaml.safe_load(after["spec"]["serveConfigV2"])["applications"][0]["deployments"][0]["autoscaling_config"]
    assert (growth["min_replicas"], growth["max_replicas"]) == (2, 3)
    (group,) = after["spec"]["rayClusterConfig"]["workerGroupSpecs"]
    assert (group["minReplicas"], group["maxReplicas"]) == (2, 3)
    # Anything else of a group that changed would make KubeRay start another cluster.
    (old,) = before["spec"]["rayClusterConfig"]["workerGroupSpecs"]
    changed = {key for key in group if group[key] != old.get(key)}
    assert changed == {"replicas", "minReplicas", "maxReplicas"}
    assert house.status() == "ready"
    assert house.names("pods") == pods


def test_a_change_answers_from_the_old_one_until_the_new_one_is_ready(house):
    house.add()
    house.becomes("ready")
    before = house.route()
    house.service.update(WORKSPACE, "plates", {"text_reader_model": "pp_ocr/default"})
    seen = set()

    def done() -> bool:
        seen.add(house.route())
        return house.route() != before and len(house.names("rayservices")) == 1

    house.until(done)
    assert seen == {before, house.route()}
    assert house.status() == "ready"


def test_a_change_that_fails_is_taken_back(house):
    house.operator.fails["no/1"] = "there is no model no/1"
    house.add()
    house.becomes("ready")
    before = house.route()
    house.service.update(WORKSPACE, "plates", {"text_reader_model": "no/1"})
    house.until(lambda: "taken back" in house.endpoint().detail and len(house.names("rayservices")) == 1)
    assert house.status() == "ready"
    assert "no model no/1" in house.endpoint().detail
    assert house.route() == before


def test_deleted_it_leaves_nothing(house):
    house.add()
    house.becomes("ready")
    house.delete()
    assert house.server.store.objects == {}


def test_what_serve_cannot_deploy_fails_with_its_reason_and_takes_nothing(house):
    house.operator.fails["no/1"] = "there is no model no/1"
    house.add(config=EndpointConfig(text_reader_model="no/1"))
    house.becomes("failed")
    assert "no model no/1" in house.endpoint().detail
    house.until(lambda: house.names("pods") == [])
    house.operator.fails.clear()
    house.service.resume(WORKSPACE, "plates")
    house.becomes("ready")


def test_a_card_that_no_machine_has_fails_with_the_schedulers_reason(house):
    house.add(kind="l4")
    house.until(lambda: "no machine can hold" in house.endpoint().detail)
    assert house.status() == "pending"  # a machine may be on its way
    house.ahead_s = 61
    house.becomes("failed")
    assert "didn't match Pod's node selector" in house.endpoint().detail
    house.until(lambda: house.names("pods") == [])


def test_a_machine_that_comes_in_time_is_taken(server, tmp_path):
    operator = Operator(server, machines=[({}, 0), ({"nvidia.com/gpu.product": "NVIDIA-L4"}, 1)])
    house = House(server, tmp_path, operator)
    house.add(kind="l4")
    house.becomes("ready")
    house.stop()


def test_the_name_of_the_endpoint_of_the_manifests_is_taken(house):
    house.add("shipped")
    house.until(lambda: house.status("shipped") == "failed")
    assert "shipped.example.com leads to the endpoint of the manifests" in house.endpoint("shipped").detail


def test_a_card_that_nobody_knows_fails_at_once(house):
    house.add(kind="abacus")
    house.becomes("failed")
    assert "ABACUS" in house.endpoint().detail
    assert house.names("rayservices") == []


def test_an_image_that_cannot_be_had_fails_with_the_kubelets_reason(house):
    house.operator.broken_images.add("registry.example.com/sightline:0.1.0-cpu")
    house.add()
    house.until(lambda: "ImagePullBackOff" in house.endpoint().detail)
    house.ahead_s = 61
    house.becomes("failed")


def test_a_warning_is_the_reason_why_it_waits(house):
    house.add()
    house.until(lambda: house.names("rayservices") != [])
    name = house.names("rayservices")[0]
    house.operator.cold.add(name)
    house.operator.warn(f"{name}-abcde", "FailedToCreateHeadPod", "exceeded quota: pods=0")
    house.until(lambda: "exceeded quota" in house.endpoint().detail)
    assert house.status() == "pending"


def test_what_the_api_server_refuses_fails_with_its_reason(house, monkeypatch):
    real = house.server.store._check

    def check(plural, item):
        from tests.k8s.fake_cluster.store import Refused

        if plural == "rayservices":
            raise Refused(422, "Invalid", "spec.rayVersion: too new")
        real(plural, item)

    monkeypatch.setattr(house.server.store, "_check", check)
    house.add()
    house.becomes("failed")
    assert "too new" in house.endpoint().detail


def test_what_it_did_not_make_stays(house, server):
    """A RayService under the very name, and routes and policies of others."""
    house.add()
    house.becomes("ready")
    service = only(server, "rayservices")
    house.delete()
    for plural, item in (("rayservices", service), ("httproutes", None)):
        if item is None:
            item = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "spec": {"hostnames": ["x"]}}
            item["metadata"] = {"name": "host-plates.example.com"}
        item["metadata"] = {"name": item["metadata"]["name"]}
        server.store.create(plural, item, namespace=server.namespace)
    before = dict(server.store.objects)
    house.operator.step = lambda: None
    house.add()
    for _ in range(10):
        house.reconciler.round()
        time.sleep(0.02)
    assert server.store.objects == before
    assert house.status() == "pending"
    house.delete()
    assert server.store.objects == before


def test_a_route_that_somebody_removed_is_made_anew(house, server):
    house.add()
    house.becomes("ready")
    server.store.delete("httproutes", "host-plates.example.com")
    house.until(lambda: house.route() is not None)
    assert house.status() == "ready"


@pytest.mark.parametrize("verb", ["create", "patch"])
def test_a_route_that_is_refused_holds_up_no_other(house, server, verb):
    led = {"cars": "a", "plates": "a"} if verb == "patch" else {}
    house.edge.lead(led)
    house.watches(lambda: len(house.edge._watched.items()) == len(led))  # a round would lead them elsewhere
    server.faults.append((verb, "httproutes", 422, {}))
    house.edge.lead({"cars": "b", "plates": "b"})
    assert not server.faults
    assert (house.route("cars.example.com"), house.route()) == ("a" if verb == "patch" else None, "b")


def test_a_route_that_is_refused_again_and_again_is_complained_of_once(house, server, caplog):
    server.fault = lambda verb, plural: 422 if (verb, plural) == ("create", "httproutes") else None
    for _ in range(3):
        house.edge.lead({"plates": "a"})
    house.edge.lead({})
    house.edge.lead({"plates": "a"})  # wanted anew
    assert caplog.messages.count("a route cannot be made") == 2


def test_what_kuberay_gave_up_is_made_anew(house, server):
    house.add()
    house.becomes("ready")
    service = only(server, "rayservices")
    house.service.pause(WORKSPACE, "plates")
    house.becomes("paused")
    house.operator.step = lambda: server.store.collect_garbage()
    given_up = {"type": "Ready", "status": "False", "reason": "InitializingTimeout", "message": "m"}
    given_up["lastTransitionTime"] = "2026-01-01T00:00:00Z"
    server.store.patch("rayservices", service["metadata"]["name"], {"status": {"conditions": [given_up]}}, status=True)
    house.service.resume(WORKSPACE, "plates")
    house.until(
        lambda: (
            [i["metadata"]["uid"] for i in server.store.all("rayservices")[0]] not in ([], [service["metadata"]["uid"]])
        )
    )


def test_everything_ends_well_though_a_tenth_of_all_calls_fail(house, server):
    server.fault = flaky(0.1, seed=7)
    house.add()
    house.becomes("ready")
    house.service.resize(WORKSPACE, "plates", 2, 2)
    house.until(lambda: house.endpoint().num_replicas == 2)
    house.service.pause(WORKSPACE, "plates")
    house.becomes("paused")
    house.service.resume(WORKSPACE, "plates")
    house.becomes("ready")
    house.delete()


def test_an_object_that_changes_between_reading_and_writing_is_read_again(house, server):
    house.add()
    house.becomes("ready")
    server.faults.extend([("patch", "rayservices", 409, {})] * 3)
    house.service.resize(WORKSPACE, "plates", 1, 4)
    house.reconciler.round()
    assert not server.faults
    assert only(server, "rayservices")["metadata"]["annotations"]["sightline/replicas"] == "1-4"


def test_it_waits_for_as_long_as_the_api_server_asks(server):
    cluster = api(server)
    server.faults.append(("list", "rayservices", 429, {"Retry-After": "30"}))
    from deployments.control.errors import PlatformError
    from deployments.control.on_kubernetes.cluster_api import RAY_SERVICES

    for said in ("429", "asked again in 30 s"):
        with pytest.raises(PlatformError, match=said):
            cluster.all(RAY_SERVICES)
    assert server.used["list", "ray.io", "rayservices"] == 1


class KilledError(BaseException):
    """The process ends here."""


def test_killed_before_and_after_every_write_it_finishes_what_it_began(house, server, monkeypatch):
    """Each write of a whole life dies twice: before it is carried out, and when it was and nobody knows."""
    seen: Counter[tuple[str, str, str]] = Counter()
    phase = ""
    real = ClusterApi._ask

    def deadly(self, method, path, query=None, body=None):
        write = (phase, method, path)
        seen[write] += method != "GET"
        if seen[write] == 1:
            raise KilledError
        done = real(self, method, path, query, body)
        if seen[write] == 2:
            raise KilledError
        return done

    def until(holds) -> None:
        deadline_s = time.monotonic() + 120
        while not holds():
            assert time.monotonic() < deadline_s, (phase, house.status(), house.names("rayservices"))
            try:
                house.round()
            except KilledError:
                house.stop()
                house.start()

    def one_that_is(status: str) -> bool:
        return house.status() == status and len(house.names("rayservices")) == 1

    monkeypatch.setattr(ClusterApi, "_ask", deadly)
    phase = "create"
    house.add()
    until(lambda: one_that_is("ready"))
    phase, before = "update", house.route()
    house.service.update(WORKSPACE, "plates", {"text_reader_model": "pp_ocr/default"})
    until(lambda: house.route() != before and one_that_is("ready"))
    phase = "pause"
    house.service.pause(WORKSPACE, "plates")
    until(lambda: one_that_is("paused"))
    phase = "resume"
    house.service.resume(WORKSPACE, "plates")
    until(lambda: one_that_is("ready"))
    phase = "delete"
    house.service.delete(WORKSPACE, "plates")
    until(lambda: not server.store.objects)
    # create: 3 objects, one patch, a route and its change; update: the same less one, and a delete; pause, resume: two
    # patches each; delete: the RayService and the route.
    assert sum(count > 0 for count in seen.values()) >= 6 + 6 + 2 + 2 + 2
    assert server.refusals == []


@pytest.mark.parametrize("kind", ["gateway", "ingress"])
def test_the_role_allows_what_is_done_and_nothing_else(tmp_path, kind):
    values = Values.model_validate({**VALUES.model_dump(exclude_unset=True), "route": {"kind": kind}})
    (role,) = [item for item in control_objects(values) if item["kind"] == "Role"]
    with ApiServer(rules=role["rules"]) as server:
        house = House(server, tmp_path, values=values)
        house.operator.fails["no/1"] = "no"
        house.add()
        house.becomes("ready")
        plural = "httproutes" if kind == "gateway" else "ingresses"
        guards = [house.server.store.all(each)[0][0] for each in ("networkpolicies", "poddisruptionbudgets")]
        house.service.pause(WORKSPACE, "plates")
        house.becomes("paused")
        for guard, each in zip(guards, ("networkpolicies", "poddisruptionbudgets"), strict=True):
            changed = {"metadata": {"annotations": {"sightline/content": "another"}}}
            server.store.patch(each, guard["metadata"]["name"], changed)
        house.service.resume(WORKSPACE, "plates")
        house.becomes("ready")
        house.edge.lead({})
        house.edge.lead({"plates": "x"})  # the watch may not have seen yet what was removed or made
        house.edge.lead({"plates": "y"})
        route = server.store.all(plural)[0][0]["metadata"]["name"]
        house.edge._add(house.edge._route("plates.example.com", "y"))
        assert route == "host-plates.example.com"
        house.delete()
        house.stop()
        allowed = {
            (verb, group, resource)
            for rule in role["rules"]
            for verb in rule["verbs"]
            for group in rule["apiGroups"]
            for resource in rule["resources"]
        }
        assert set(server.used) == allowed
        assert server.refusals == []
