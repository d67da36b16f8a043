"""What a real Prometheus knows of a real cluster, by the file of targets that `sightline serve` writes."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import httpx
import pytest

from deployments.dataplane.sample import sample_request
from deployments.kubernetes.alerts import alert_groups
from deployments.kubernetes.dashboards import dashboards
from tests.cluster.prometheus import Prometheus
from tests.cluster.server import Server
from tests.unit.deployments.observability.metrics_page import rows

pytestmark = pytest.mark.cluster

PREFIX = "ray_sightline_"
WINDOW = "30s"
# Ray's processes report every 10 s by themselves; what was not reported for twice as long is shown no more.
QUICK = {"RAY_metrics_report_interval_ms": "3000"}
SHOWN_WITHIN_S = 30
# Of pods, which one machine has not.
ON_KUBERNETES = {"SightlineNoWorkers"}


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """A Prometheus that has seen requests answered, refused and failed."""
    server = Server(environment=QUICK)
    prometheus = None
    try:
        line = server.wait_for("for Prometheus")
        targets = re.search(r"(/\S+/prometheus\.json)", line)[1]
        folder = tmp_path_factory.mktemp("prometheus")
        prometheus = Prometheus(folder, targets, {"groups": alert_groups(_name(server))})
        prometheus.wait_for(f"{PREFIX}http_requests_in_flight")
        deadline_s = time.monotonic() + 12  # several scrapes, each with requests before it
        while time.monotonic() < deadline_s:
            _ask(server)
            time.sleep(0.5)
        prometheus.wait_for(f"rate({PREFIX}http_requests_total{{status=~'5..'}}[{WINDOW}])")
        prometheus.wait_for(f"rate(ray_node_cpu_utilization[{WINDOW}])")
        yield server, prometheus
    finally:
        if prometheus is not None:
            prometheus.stop()
        server.stop()


def _name(server: Server) -> str:
    return f"localhost:{server.port}"


def _ask(server: Server) -> None:
    """One that is answered, one that is refused, one whose time is too short."""
    asked = sample_request()
    with httpx.Client(base_url=server.url, timeout=60) as http:
        assert http.post("/workflows/run", json=asked).status_code == 200
        assert http.post("/workflows/run", json={"specification": {}}).status_code in (400, 422)
        late = http.post("/workflows/run", json=asked, headers={"X-Request-Timeout-Seconds": "0.02"})
        assert late.status_code in (503, 504)


def test_prometheus_knows_every_metric_of_the_page_and_no_other(seen):
    _, prometheus = seen
    found = {name.removeprefix(PREFIX) for name in prometheus.names() if name.startswith(PREFIX)}
    wanted = set()
    for name, (kind, _) in rows().items():
        wanted |= {f"{name}_{part}" for part in ("bucket", "sum", "count")} if kind == "histogram" else {name}
    assert found == wanted


def test_values_in_prometheus_are_those_of_the_router(seen):
    server, prometheus = seen
    server.wait_until_at_rest()
    of = f'{{server="{_name(server)}",deployment="WorkflowRouter"}}'
    expected = {
        name: value for name, value in server.metrics().items() if name.startswith("http_request_latency_ms_bucket")
    }
    total = sum(value for name, value in expected.items() if 'route="/workflows/run"' in name and '"+Inf"' in name)
    assert total > 0
    query = f'sum({PREFIX}http_request_latency_ms_bucket{of[:-1]},route="/workflows/run",le="+Inf"}})'
    deadline_s = time.monotonic() + SHOWN_WITHIN_S
    while (shown := prometheus.values(query)) != [total]:
        assert time.monotonic() < deadline_s, (shown, total)
        time.sleep(0.5)


def test_serves_own_wrapper_sees_a_request_in_five_seconds_and_not_all(seen):
    server, prometheus = seen
    of = f'{{server="{_name(server)}",deployment="WorkflowRouter"}}'
    (answered,) = prometheus.values(f"sum({PREFIX}http_requests_total{of})")
    (by_serve,) = prometheus.values(f"sum(ray_serve_deployment_request_counter_total{of})")
    assert 0 < by_serve < answered / 3


@pytest.mark.parametrize("dashboard", dashboards().values(), ids=dashboards())
def test_every_panel_shows_something(seen, dashboard):
    server, prometheus = seen
    chosen = {"$server": _name(server), "$endpoint": "plates", "$window": WINDOW}
    deadline_s = time.monotonic() + SHOWN_WITHIN_S
    while silent := [
        (panel["title"], target["expr"])
        for panel in dashboard["panels"]
        for target in panel["targets"]
        if not _shows(prometheus, target, chosen)
    ]:
        assert time.monotonic() < deadline_s, silent
        time.sleep(1)


def _shows(prometheus: Prometheus, target, chosen) -> bool:
    """Whether a query gives something; each of its series has the labels that its legend names."""
    expression = target["expr"]
    for variable, value in chosen.items():
        expression = expression.replace(variable, value)
    assert "$" not in expression
    found = prometheus.ask("/query", query=expression)["result"]
    labels = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
    assert all(labels <= set(row["metric"]) for row in found), target
    return any(row["value"][1] != "NaN" for row in found)


def test_the_variables_of_a_dashboard_can_be_chosen(seen):
    server, prometheus = seen
    for dashboard in dashboards().values():
        for variable in dashboard["templating"]["list"]:
            if variable["type"] != "query":
                continue
            selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]).groups()
            selector = selector.replace("$server", _name(server))
            found = prometheus.ask(f"/label/{label}/values", **{"match[]": selector})
            assert found == {"server": [_name(server)], "endpoint": ["plates"]}[variable["name"]]


def test_alerts_ask_for_series_that_there_are_and_are_quiet(seen):
    server, prometheus = seen
    known = prometheus.names()
    for rule in alert_groups(_name(server))[0]["rules"]:
        names = set(re.findall(r"\b(?:ray_\w+|up)(?=\{)", rule["expr"]))
        assert names, rule["alert"]
        assert names <= known, rule["alert"]
    states = {
        rule["name"]: (rule["health"], rule["state"])
        for group in prometheus.ask("/rules")["groups"]
        for rule in group["rules"]
    }
    # A third of the requests had no time; their alert waits for five minutes of it.
    expected = {
        name: ("ok", "pending" if name in {"SightlineErrors", *ON_KUBERNETES} else "inactive") for name in states
    }
    assert states == expected


def test_the_file_of_targets_is_for_prometheus(seen):
    server, _ = seen
    path = Path(re.search(r"(/\S+/prometheus\.json)", server.output)[1])
    (group,) = json.loads(path.read_text())
    assert group["labels"] == {"server": _name(server), "role": "head"}
    assert all(httpx.get(f"http://{target}/metrics", timeout=10).status_code == 200 for target in group["targets"])
