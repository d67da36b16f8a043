"""A program of the vendor's SDK, running beside the tests, and the tutorial it sends."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.server import Server
from tests.sdk.own_models import write_own_models
from tests.sdk.sdk_error import SdkError

ROOT = Path(__file__).resolve().parents[2]
SDK_PYTHON = ROOT / ".venv-sdk/bin/python"
HERE = Path(__file__).parent
SAMPLES = ROOT / "deployments/models/shipped/samples"

Call = Callable[..., Any]


@pytest.fixture(scope="session")
def served_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a running cluster with the user's own models.

    Of the one named by SIGHTLINE_TEST_URL where that is set, which must serve them too.
    """
    if given := os.environ.get("SIGHTLINE_TEST_URL"):
        yield given
        return
    models = tmp_path_factory.mktemp("models")
    write_own_models(models)
    server = Server("--workflows", str(HERE / "workflows"), "--models", str(models))
    try:
        server.wait_for("ready http")
        yield server.url
    finally:
        server.stop()


@pytest.fixture(scope="session")
def sdk(served_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Call]:
    """Calls a method of the real `InferenceHTTPClient`; raises SdkError for what it raised."""
    if not SDK_PYTHON.exists():
        pytest.skip("the vendor's SDK is not installed: `make test-sdk` installs it into .venv-sdk")
    program = subprocess.Popen(
        [SDK_PYTHON, HERE / "user_program.py", served_url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path_factory.mktemp("user"),  # it writes the traces of what it profiles there
    )
    assert program.stdin
    assert program.stdout

    def call(method: str, *, mode: str = "v1", configuration: dict[str, Any] | None = None, **kwargs: Any) -> Any:
        line = {"method": method, "mode": mode, "kwargs": kwargs}
        if configuration is not None:
            line["configuration"] = configuration
        program.stdin.write(json.dumps(line) + "\n")
        program.stdin.flush()
        said = json.loads(program.stdout.readline())
        if "error" in said:
            raise SdkError(said["error"])
        return said["result"]

    yield call
    program.stdin.close()
    program.wait(timeout=20)


@pytest.fixture
def photo() -> dict[str, Any]:
    """The sample photograph, passed as a path."""
    return {"$image": str(SAMPLES / "car.jpg"), "as": "path"}


@pytest.fixture(scope="session")
def plate_text() -> str:
    """What the plate on the sample photograph says."""
    return json.loads((SAMPLES / "samples.json").read_text())["car.jpg"]["plates"][0]


@pytest.fixture
def tutorial() -> dict[str, Any]:
    """The tutorial's specification, word for word."""
    return json.loads((HERE / "tutorial.json").read_text())
