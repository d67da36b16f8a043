"""The switches of Ray, held against the Ray that is installed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import ray
from ray.serve._private import constants

from deployments.cli.gcs_storage import GcsStorage
from deployments.cli.ray_environment import ServePorts, cluster_environment, gcs_environment, proxy_environment

SERVE_SOURCE = Path(constants.__file__).parent
LOADER = Path("/lib64/ld-linux-x86-64.so.2")


def test_every_switch_of_serve_is_one_that_this_ray_knows():
    source = "".join(path.read_text() for path in SERVE_SOURCE.glob("*.py"))
    environment = cluster_environment("haproxy", ports=ServePorts(), run_dir=Path("/run/x"), local=True)
    switches = {name for name in environment if name.startswith("RAY_SERVE_")}
    assert len(switches) > 10
    assert {name for name in switches if f'"{name}"' not in source} == set()


def test_switches_of_rays_core_are_known_to_its_binary():
    raylet = (Path(ray.__file__).parent / "core/src/ray/raylet/raylet").read_bytes()
    environment = cluster_environment("haproxy", local=True)
    for storage in (GcsStorage(backend="rocksdb"), GcsStorage(backend="redis")):
        environment |= gcs_environment(storage, folder=Path("/run/x"), namespace="a")
    flags = [name.removeprefix("RAY_") for name in environment if name.removeprefix("RAY_")[0].islower()]
    assert flags
    assert [name for name in flags if name.encode() not in raylet] == []


@pytest.mark.skipif(not LOADER.exists(), reason=f"{LOADER} of the GNU C library is not here")
def test_the_c_library_knows_the_switch_for_large_pages():
    switches = {"GLIBC_TUNABLES": cluster_environment("haproxy")["GLIBC_TUNABLES"]}
    known = subprocess.run([LOADER, "--list-tunables"], env=switches, capture_output=True, text=True, check=True)
    assert "glibc.malloc.hugetlb: 0x1 " in known.stdout


def test_the_python_proxy_turns_direct_ingress_off():
    environment = cluster_environment("python")
    assert environment["RAY_SERVE_ENABLE_HA_PROXY"] == "0"
    assert environment["RAY_SERVE_ENABLE_DIRECT_INGRESS"] == "0"
    assert environment["RAY_SERVE_THROUGHPUT_OPTIMIZED"] == "1"


def test_only_a_local_cluster_is_bound_to_loopback_and_drains_quickly():
    local_only = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S"}
    assert local_only <= set(cluster_environment("haproxy", local=True))
    assert not local_only & set(cluster_environment("haproxy"))


def test_ports_and_files_of_haproxy_are_those_asked_for():
    ports = ServePorts(fallback_proxy=1, haproxy_stats=2, haproxy_metrics=3, first_replica=10, replicas=5)
    environment = proxy_environment("haproxy", ports=ports, run_dir=Path("/run/x"))
    assert environment["RAY_SERVE_FALLBACK_PROXY_HTTP_PORT"] == "1"
    assert environment["RAY_SERVE_HAPROXY_STATS_PORT"] == "2"
    assert environment["RAY_SERVE_HAPROXY_METRICS_PORT"] == "3"
    assert environment["RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT"] == "15"
    assert environment["RAY_SERVE_HAPROXY_SOCKET_PATH"] == "/run/x/a.sock"
