"""`serve deploy` on a Ray that somebody else started, as on a machine of one's own or in a cluster."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import pytest
import yaml

from deployments.cli.ports import choose_ports
from deployments.cli.ray_environment import cluster_environment
from deployments.dataplane.sample import sample_request
from tests.cluster.server import ROOT

pytestmark = pytest.mark.cluster

BIN = Path(sys.executable).parent
READY_WITHIN_S = 120.0


# A process of its own adopts what Ray leaves behind, so that stopping it stops that Ray and no other.
KEEPER = """
import os, subprocess, sys, threading
from deployments.cli.processes import adopt_orphans, stop_descendants
adopt_orphans()
subprocess.Popen(sys.argv[1:])
sys.stdin.read()
sys.exit(bool(stop_descendants(os.getpid(), patience_s=3.0, hurry=threading.Event())))
"""


@pytest.fixture
def ray_head(tmp_path_factory):
    """A Ray head with the environment that `sightline environment` prints: dashboard port, Serve port, environment."""
    serve_port, ports = choose_ports(seed=os.getpid() + 7)
    first = ports.first_replica + ports.replicas - 10
    folder = tempfile.mkdtemp(prefix="sl-")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "RAY_AUTH_MODE": "disabled"}
    environment |= cluster_environment("haproxy", ports=ports, run_dir=Path(folder))
    command = [
        BIN / "ray",
        "start",
        "--head",
        "--block",
        "--num-cpus=2",
        "--include-dashboard=true",
        "--disable-usage-stats",
    ]
    command += [f"--temp-dir={folder}/ray", "--object-store-memory=100000000"]
    names = ("port", "dashboard-port", "dashboard-agent-listen-port", "ray-client-server-port")
    command += [f"--{name}={first + index}" for index, name in enumerate(names)]
    log = (tmp_path_factory.mktemp("ray") / "head.log").open("w")
    keeper = subprocess.Popen(
        [sys.executable, "-c", KEEPER, *command], env=environment, stdin=subprocess.PIPE, stdout=log, stderr=log
    )
    yield first + 1, serve_port, environment
    keeper.stdin.close()
    assert keeper.wait(20) == 0
    shutil.rmtree(folder, ignore_errors=True)


def test_the_shipped_configuration_can_be_deployed_on_a_running_ray(ray_head, tmp_path):
    dashboard_port, serve_port, environment = ray_head
    config = yaml.safe_load((ROOT / "serve_config.yaml").read_text())
    config["http_options"]["port"] = serve_port
    path = tmp_path / "serve_config.yaml"
    path.write_text(yaml.safe_dump(config))
    address = f"http://127.0.0.1:{dashboard_port}"
    deadline_s = time.monotonic() + READY_WITHIN_S
    while True:
        deployed = subprocess.run(
            [BIN / "serve", "deploy", path, "-a", address], env=environment, capture_output=True, text=True, check=False
        )
        if deployed.returncode == 0:
            break
        assert time.monotonic() < deadline_s, deployed.stderr
        time.sleep(1)
    url = f"http://127.0.0.1:{serve_port}"
    while True:
        try:
            if httpx.get(f"{url}/readiness", timeout=5).status_code == 200:
                break
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline_s, "never ready"
        time.sleep(0.2)
    answer = httpx.post(f"{url}/workflows/run", json=sample_request(), timeout=60)
    assert answer.status_code == 200, answer.text
    assert "recognised_plates" in answer.json()["outputs"][0]
