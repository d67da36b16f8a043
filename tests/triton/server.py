"""A real Triton as a process of its own, with a repository of ONNX models that can be killed and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sysconfig
import time
from collections.abc import Sequence
from pathlib import Path
from shutil import copy

import httpx
import onnx

from tests.cluster.server import free_port

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = ROOT / ".venv-triton"
HERE = Path(__file__).parent
READY_WITHIN_S = 60.0

TYPES = {
    onnx.TensorProto.FLOAT: "TYPE_FP32",
    onnx.TensorProto.FLOAT16: "TYPE_FP16",
    onnx.TensorProto.INT64: "TYPE_INT64",
}


def is_installed() -> bool:
    return (ENVIRONMENT / ".installed").exists() and _server_dir() is not None


def _server_dir() -> Path | None:
    return next(ENVIRONMENT.glob("lib/python3*/site-packages/pytriton/tritonserver"), None)


def add_model(
    repository: Path, name: str, weights: Path, *, max_batch_size: int = 8, delay_s: float = 0, batching: bool = True
) -> None:
    """Put an ONNX file into a model repository; its first axis is the batch when `max_batch_size` is not 0."""
    folder = repository / name
    (folder / "1").mkdir(parents=True)
    copy(weights, folder / "1" / "model.onnx")
    graph = onnx.load(str(weights)).graph
    skipped = 1 if max_batch_size else 0

    def tensors(nodes: Sequence[onnx.ValueInfoProto]) -> str:
        rows = []
        for node in nodes:
            tensor = node.type.tensor_type
            dims = [str(axis.dim_value or -1) for axis in tensor.shape.dim][skipped:]
            rows.append(f'{{ name: "{node.name}" data_type: {TYPES[tensor.elem_type]} dims: [ {", ".join(dims)} ] }}')
        return ", ".join(rows)

    lines = [
        f'name: "{name}"',
        'backend: "onnxruntime"',
        f"max_batch_size: {max_batch_size}",
        f"input [ {tensors(graph.input)} ]",
        f"output [ {tensors(graph.output)} ]",
        "instance_group [ { count: 1 kind: KIND_CPU } ]",
        f'parameters {{ key: "delay_s" value: {{ string_value: "{delay_s}" }} }}',
    ]
    if max_batch_size and batching:
        lines.append("dynamic_batching { max_queue_delay_microseconds: 20000 }")
    (folder / "config.pbtxt").write_text("\n".join(lines) + "\n")


class TritonServer:
    """One Triton, always on the same ports.

    Attributes:
        grpc_port: of its gRPC door.
        http_port: of its HTTP door; the one behind it was free as well, for a server that asks this one.
    """

    def __init__(self, repository: Path, work_dir: Path, *arguments: str) -> None:
        self.grpc_port = free_port(2)
        self.http_port = self.grpc_port + 1
        self._repository = repository
        self._arguments = arguments
        self._log = work_dir / "triton.log"
        self._backends = _backend_dir(work_dir / "backends")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"grpc://127.0.0.1:{self.grpc_port}"

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def start(self) -> None:
        """Start it; its models are ready when this returns."""
        server_dir = _server_dir()
        assert server_dir
        environment = {
            "PATH": f"{ENVIRONMENT / 'bin'}:/usr/bin:/bin",
            "LD_LIBRARY_PATH": f"{sysconfig.get_config_var('LIBDIR')}:{server_dir.parents[1] / 'nvidia_pytriton.libs'}",
            "PYTHONPATH": str(server_dir.parents[1]),
            "HOME": str(self._log.parent),
        }
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    server_dir / "bin" / "tritonserver",
                    f"--model-repository={self._repository}",
                    f"--backend-directory={self._backends}",
                    "--http-address=127.0.0.1",
                    f"--http-port={self.http_port}",
                    "--grpc-address=127.0.0.1",
                    f"--grpc-port={self.grpc_port}",
                    "--allow-metrics=false",
                    "--exit-on-error=true",
                    "--exit-timeout-secs=3",
                    # The default name of its stubs' memory is the same for every server of the machine.
                    f"--backend-config=python,shm-region-prefix-name=triton_test_{os.getpid()}_{self.grpc_port}_",
                    *self._arguments,
                ],
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        deadline_s = time.monotonic() + READY_WITHIN_S
        while True:
            try:
                if httpx.get(f"http://127.0.0.1:{self.http_port}/v2/health/ready", timeout=2).status_code == 200:
                    name = httpx.get(f"http://127.0.0.1:{self.http_port}/v2", timeout=2).json()["name"]
                    assert name == "triton", f"{name} has the port that Triton was to have"
                    return
            except httpx.TransportError:
                pass
            assert self._process
            assert self._process.poll() is None, f"Triton ended:\n{self.log_text()}"
            assert time.monotonic() < deadline_s, f"Triton is never ready:\n{self.log_text()}"
            time.sleep(0.1)

    def kill(self) -> None:
        """As a crash would: the server and the Python processes below it, without a chance to say anything."""
        assert self._process
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for left_behind in Path("/dev/shm").glob(f"triton_test_{os.getpid()}_{self.grpc_port}_*"):
            left_behind.unlink()  # of its own stubs, not ours

    def pause(self) -> None:
        """Have it hang: its port stays open, nothing is answered."""
        os.killpg(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.killpg(self.pid, signal.SIGCONT)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.resume()
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def statistics(self, model: str) -> tuple[int, int]:
        """Elements inferred and runs of the model since the server started."""
        answer = httpx.get(f"http://127.0.0.1:{self.http_port}/v2/models/{model}/stats", timeout=10).json()
        stats = answer["model_stats"][0]
        return stats["inference_count"], stats["execution_count"]

    def shared_regions(self) -> set[str]:
        """Names of the shared memory that it has open."""
        answer = httpx.get(f"http://127.0.0.1:{self.http_port}/v2/systemsharedmemory/status", timeout=10).json()
        return {region["name"] for region in answer}

    def log_text(self) -> str:
        return self._log.read_text(errors="replace")[-4000:]


def _backend_dir(directory: Path) -> Path:
    """Triton's Python backend, and ours for ONNX made with it."""
    server_dir = _server_dir()
    assert server_dir
    python = directory / "python"
    python.mkdir(parents=True)
    for name in ("libtriton_python.so", "triton_python_backend_utils.py"):
        copy(server_dir / "backends" / "python" / name, python)
    version = sysconfig.get_python_version()
    copy(server_dir / "python_backend_stubs" / version / "triton_python_backend_stub", python)
    (directory / "onnxruntime").mkdir()
    copy(HERE / "backend" / "model.py", directory / "onnxruntime")
    return directory
