"""For each alert: series on which it rings, and series like them on which it does not; one sample a minute."""

from __future__ import annotations

REQUESTS = 'ray_sightline_http_requests_total{server="plates",application="plates",status="%s"}'
LATENCY = 'ray_sightline_http_request_latency_ms_bucket{server="plates",application="plates",le="%s"}'
OF = 'server="plates",application="plates",deployment="TextReader"'
WAITED = f"ray_sightline_coalescing_waited_ms_total{{{OF}}}"
ITEMS = f"ray_sightline_coalescing_items_total{{{OF}}}"
REFUSED = f"ray_sightline_coalescing_refused_total{{{OF}}}"
TURNED_AWAY = 'ray_sightline_admission_refused_total{server="plates",application="plates",reason="%s"}'
HEALTHY = f'ray_serve_deployment_replica_healthy{{{OF},replica="a"}}'
WANTED = f"ray_serve_autoscaling_target_replicas{{{OF}}}"
STARTS = f'ray_serve_deployment_replica_starts_total{{{OF},replica="%s"}}'
FAILURES = f"ray_sightline_model_load_failures_total{{{OF}}}"
EVICTIONS = f"ray_sightline_model_evictions_total{{{OF}}}"
USED = 'ray_node_mem_used{server="plates",instance="10.0.0.1:8080"}'
TOTAL = 'ray_node_mem_total{server="plates",instance="10.0.0.1:8080"}'
ROUNDS = 'ray_serve_controller_num_control_loops{server="plates"}'
IN_FLIGHT = 'ray_sightline_http_requests_in_flight{server="plates",application="plates"}'
UP = 'up{server="plates",role="%s"}'

ENDPOINT = {"application": "plates"}
DEPLOYMENT = {"application": "plates", "deployment": "TextReader"}
POD = {"instance": "10.0.0.1:8080"}

# Alert -> labels it rings with, series that ring, series that do not; both are looked at after half an hour.
CASES: dict[str, tuple[dict[str, str], dict[str, str], dict[str, str]]] = {
    # 3 and 1 of a hundred.
    "SightlineErrors": (
        ENDPOINT,
        {REQUESTS % 200: "0+97x40", REQUESTS % 500: "0+3x40"},
        {REQUESTS % 200: "0+99x40", REQUESTS % 503: "0+1x40", REQUESTS % 404: "0+50x40"},
    ),
    # 98 and 100 of a hundred below 5 s; the others below 10 s.
    "SightlineSlow": (
        ENDPOINT,
        {LATENCY % 5000: "0+98x40", LATENCY % 10000: "0+100x40", LATENCY % "+Inf": "0+100x40"},
        {LATENCY % 5000: "0+100x40", LATENCY % 10000: "0+100x40", LATENCY % "+Inf": "0+100x40"},
    ),
    # 2 s and half a second each.
    "SightlineWorkWaits": (
        DEPLOYMENT,
        {WAITED: "0+20000x40", ITEMS: "0+10x40"},
        {WAITED: "0+5000x40", ITEMS: "0+10x40"},
    ),
    "SightlineWorkRefused": (DEPLOYMENT, {REFUSED: "0+1x40"}, {REFUSED: "7x40"}),
    # 2 of a hundred; and as many of one client, that sends more than its share.
    "SightlineTurnedAway": (
        ENDPOINT,
        {TURNED_AWAY % "time": "0+2x40", REQUESTS % 200: "0+98x40", REQUESTS % 503: "0+2x40"},
        {TURNED_AWAY % "client": "0+2x40", REQUESTS % 200: "0+98x40", REQUESTS % 429: "0+2x40"},
    ),
    "SightlineReplicaUnhealthy": (
        {**DEPLOYMENT, "replica": "a"},
        {HEALTHY: "1x20 0x20"},
        {HEALTHY: "1x27 0x3 1x10"},
    ),
    "SightlineReplicasMissing": (DEPLOYMENT, {WANTED: "2x40", HEALTHY: "1x40"}, {WANTED: "1x20 2x20", HEALTHY: "1x40"}),
    # Eleven and ten replicas more than a quarter of an hour ago.
    "SightlineReplicasRestart": (
        DEPLOYMENT,
        {STARTS % "a": "1x40", **{STARTS % number: "_x20 1x20" for number in range(11)}},
        {STARTS % "a": "1x40", **{STARTS % number: "_x20 1x20" for number in range(10)}},
    ),
    "SightlineModelDoesNotLoad": (DEPLOYMENT, {FAILURES: "0x25 1x15"}, {FAILURES: "1x40"}),
    # 30 and 10 within ten minutes.
    "SightlineModelsThrash": (DEPLOYMENT, {EVICTIONS: "0+3x40"}, {EVICTIONS: "0+1x40"}),
    "SightlineMemory": (POD, {USED: "95x40", TOTAL: "100x40"}, {USED: "90x40", TOTAL: "100x40"}),
    "SightlineControllerStuck": ({}, {ROUNDS: "0+240x15 3600x25"}, {ROUNDS: "0+240x40"}),
    "SightlineNoRouter": (
        {},
        {IN_FLIGHT: "0x20 stale _x20", UP % "worker": "1x40"},
        {IN_FLIGHT: "0x40", UP % "worker": "1x40"},
    ),
    "SightlineHeadAbsent": ({}, {UP % "head": "1x10 0x30"}, {UP % "head": "1x40"}),
    "SightlineNoWorkers": ({}, {UP % "worker": "1x10 0x30"}, {UP % "worker": "1x40"}),
}


def of_made(series: dict[str, str]) -> dict[str, str]:
    """The same series of an endpoint that the control plane made."""
    return {name.replace('server="plates"', 'server="plates",revision="0a1b2c3d"'): of for name, of in series.items()}


# Of endpoints that the control plane makes: series that no alert rings on, after half an hour.
PAUSED = {UP % "head": "1x25 stale _x14", UP % "worker": "1x25 stale _x14", IN_FLIGHT: "0x25 stale _x14"}
STARTING = {UP % "head": "_x22 1x18"}
