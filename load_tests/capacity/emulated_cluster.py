"""A server of this checkout whose detector runs on accelerators that are not there."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from deployments.capacity.formula import Demand
from deployments.models.service_times import ServiceTimes
from load_tests.started import ROOT, free_port, says_ready, started
from load_tests.target import RunningTarget

MODEL_ID = "emulated/1"
REPLICA_TITLE = "ObjectDetector-emulated"
INPUT_PX = 64
BOX = [8.0, 8.0, 40.0, 24.0, 0.9, 0.0]
CALLS_A_DEVICE = 2  # one computes while the next is on its way: `slots_per_replica` in deployments/settings.py
MOST_REQUESTS = 8192
CPUS = 0.01  # of Ray's book-keeping: so many replicas are to start on however few cores

ADMITS_ALL = {
    "max_slowdown": 1e6,
    **dict.fromkeys(("min_in_flight", "free_in_flight", "first_in_flight", "max_in_flight"), MOST_REQUESTS),
    "max_in_flight_bytes": 8 * 2**30,
}
"""What the cluster carries is asked, not what it would rather refuse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatedCluster:
    """How it is started.

    Attributes:
        replicas: of the detector, each a process.
        devices: emulated ones behind each replica; with more than one, each stands for a replica of its own.
        routers: WorkflowRouter replicas.
        fixed_ms: of a batch of n, which takes `fixed_ms + per_item_ms * n`.
        per_item_ms: see there.
        max_batch_items: largest batch.
    """

    replicas: int
    devices: int = 1
    routers: int = 1
    fixed_ms: float
    per_item_ms: float
    max_batch_items: int

    @property
    def accelerators(self) -> int:
        """All devices together."""
        return self.replicas * self.devices

    @property
    def demand(self) -> Demand:
        """What a request with one picture asks of it."""
        times = ServiceTimes.line(self.fixed_ms, self.per_item_ms)
        return Demand(times=times, max_batch_items=self.max_batch_items, items=1)

    @contextmanager
    def running(self) -> Iterator[RunningTarget]:
        """Start it on a free port, and stop it.

        Raises:
            RuntimeError: it did not start.
        """
        port, began_s = free_port(), time.monotonic()
        with tempfile.TemporaryDirectory(prefix="emulated-") as folder:
            root = Path(folder)
            self.write_package(root / "models" / MODEL_ID)
            (root / "serve_config.yaml").write_text(yaml.safe_dump(self.serve_config()), encoding="utf-8")
            arguments = ["serve", "--port", str(port), "--emulated-accelerators"]
            arguments += ["--models", str(root / "models"), "--config", str(root / "serve_config.yaml")]
            arguments += ["--database", f"sqlite:///{root / 'endpoints.db'}"]
            with started("deployments.cli.main", arguments, says_ready) as process:
                yield RunningTarget(
                    url=f"http://127.0.0.1:{port}", root_pid=process.pid, start_s=time.monotonic() - began_s
                )

    def write_package(self, folder: Path) -> None:
        """Write the package of the emulated detector."""
        folder.mkdir(parents=True)
        emulated = {
            "service_ms": {"fixed": self.fixed_ms, "per_item": self.per_item_ms},
            "devices": self.devices,
            "outputs": {"output0": [BOX]},
        }
        side = {"height": INPUT_PX, "width": INPUT_PX}
        written = {
            "model_config.json": {
                "model_id": MODEL_ID,
                "task_type": "object-detection",
                "model_architecture": "yolov10",
                "backend_type": "emulated",
                "emulated": emulated,
            },
            "inference_config.json": {
                "network_input": {"training_input_size": side, "resize_mode": "letterbox", "scaling_factor": 255},
                "forward_pass": {"max_dynamic_batch_size": self.max_batch_items},
            },
        }
        for name, content in written.items():
            (folder / name).write_text(json.dumps(content), encoding="utf-8")
        (folder / "class_names.txt").write_text("plate\n", encoding="utf-8")

    def serve_config(self) -> dict[str, Any]:
        """The shipped configuration with fixed numbers of replicas; nothing is to start while the clock runs."""
        configuration: dict[str, Any] = yaml.safe_load((ROOT / "serve_config.yaml").read_text(encoding="utf-8"))
        application = configuration["applications"][0]
        application["args"] = {
            "models": {
                MODEL_ID: {"replicas": self.replicas, "num_cpus": CPUS, "max_batch_items": self.max_batch_items}
            },
            "ingress": {"log_requests": False, "admission": ADMITS_ALL},
        }
        for deployment in application["deployments"]:
            deployment.pop("autoscaling_config", None)
            deployment["num_replicas"] = 1
            deployment["ray_actor_options"] = {**deployment.get("ray_actor_options", {}), "num_cpus": CPUS}
            if deployment["name"] == "WorkflowRouter":
                deployment["num_replicas"] = self.routers
                deployment["max_ongoing_requests"] = MOST_REQUESTS
                deployment["user_config"] = {
                    "object_detector": {
                        "max_batch_items": self.max_batch_items,
                        "slots_per_replica": CALLS_A_DEVICE * self.devices,
                        "max_queued_items": 100_000,
                    }
                }
        return configuration
