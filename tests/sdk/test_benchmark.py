"""Load from the vendor's unmodified command line, `inference benchmark api-speed`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.sdk.conftest import HERE, SAMPLES, SDK_PYTHON

pytestmark = [pytest.mark.sdk, pytest.mark.slow]

COMMAND = SDK_PYTHON.with_name("inference")
MODEL = "vehicle-registration-plates-trudk/2"


Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def benchmark(served_url, tmp_path_factory) -> Command:
    """Runs the command over two photographs."""
    if not COMMAND.exists():
        pytest.skip("the vendor's benchmark is not installed: `make test-sdk` installs it into .venv-sdk")
    folder = tmp_path_factory.mktemp("benchmark")
    (folder / "images").mkdir()
    for name in ("car.jpg", "street.jpg"):
        shutil.copy(SAMPLES / name, folder / "images" / name)
    environment = os.environ | {"ROBOFLOW_API_KEY": "some-key", "HOME": str(folder)}
    command = [COMMAND, "benchmark", "api-speed", "--host", served_url, "--dataset_reference", folder / "images"]
    command += ["--max_error_rate", "0", "--warm_up_requests", "1", "--yes"]

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=300, env=environment)

    return run


@pytest.fixture
def api_speed(benchmark, tmp_path) -> Callable[..., dict[str, Any]]:
    """What the command wrote down."""

    def run(*arguments: str) -> dict[str, Any]:
        done = benchmark(*arguments, "--output_location", str(tmp_path / "result.json"))
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads((tmp_path / "result.json").read_text())["benchmark_results"]

    return run


@pytest.mark.parametrize("endpoints", ["--no-legacy-endpoints", "--legacy-endpoints"])
def test_a_model_is_measured_by_clients_that_wait(api_speed, endpoints):
    found = api_speed("-m", MODEL, endpoints, "-br", "4", "-c", "3")  # each client sends four
    assert (found["inferences_made"], found["error_rate"]) == (12, 0.0)
    assert found["avg_remote_execution_time"] > 0  # the server's own time, as answers tell it


def test_a_model_is_measured_by_a_schedule(api_speed):
    found = api_speed("-m", MODEL, "-br", "6", "--rps", "3")
    assert (found["inferences_made"], found["error_rate"]) == (6, 0.0)


def test_the_tutorial_is_measured_with_batches(api_speed):
    # Models are not asked in batches: the command itself fails on their answers, which are lists.
    found = api_speed("-ws", (HERE / "tutorial.json").read_text(), "-br", "2", "-c", "3", "-bs", "2")
    assert (found["inferences_made"], found["images_processed"], found["error_rate"]) == (6, 12, 0.0)


def test_a_saved_workflow_is_measured(api_speed):
    found = api_speed("-wid", "read-plates", "-wn", "local", "-br", "4")
    assert (found["inferences_made"], found["error_rate"]) == (4, 0.0)


def test_an_unknown_model_is_an_exit_status(benchmark):
    done = benchmark("-m", "nobody/1", "-br", "3")
    assert done.returncode == 1, done.stdout
    assert "404" in done.stdout + done.stderr
