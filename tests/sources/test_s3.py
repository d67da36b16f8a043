"""Models from a real S3 server, asked through s3fs as in production."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.server import free_port
from tests.sources.conftest import Command

WITHIN_S = 120.0
SECRET = "made-up-secret-key"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    pytest.importorskip("moto.server", reason="moto[s3] with flask is not installed: `make test-sources` installs it")
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    deadline_s = time.monotonic() + WITHIN_S
    while True:
        try:
            urllib.request.urlopen(url, timeout=1).close()
            break
        except OSError:
            assert server.poll() is None
            assert time.monotonic() < deadline_s
            time.sleep(0.2)
    yield url
    server.kill()
    server.wait()


@pytest.fixture
def bucket(endpoint: str) -> Any:
    s3fs = pytest.importorskip("s3fs", reason="s3fs is not installed: `make test-sources` installs it")
    files = s3fs.S3FileSystem(key="made-up", secret=SECRET, endpoint_url=endpoint, skip_instance_cache=True)
    if not files.exists("models"):
        files.mkdir("models")
    return files


@pytest.fixture
def models(tmp_path: Path, endpoint: str) -> Command:
    environment = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "made-up",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    return Command(tmp_path / "data", environment)


def put(bucket: Any, package: Path, at: str) -> None:
    for path in package.iterdir():
        bucket.pipe(f"models/{at}/{path.name}", path.read_bytes())


def test_a_package_is_added_from_a_bucket_and_follows_it(models: Command, bucket: Any, package: Path) -> None:
    put(bucket, package, "plates/2")
    status, said = models("add", "s3://models/plates/2")
    assert (status, said["added"][0]["model_id"]) == (0, "plates/2"), said
    assert models("show", "plates/2")[1]["source"] == "s3://models/plates/2"
    assert models("add", "s3://models/plates/2")[1]["added"][0]["is_new"] is False
    bucket.pipe("models/plates/2/class_names.txt", b"other\n")
    assert models("add", "s3://models/plates/2")[1]["added"][0]["is_new"] is True
    assert models("show", "plates/2")[1]["classes"] == ["other"]


def test_a_folder_of_packages_is_added_whole(models: Command, bucket: Any, package: Path) -> None:
    put(bucket, package, "all/plates/1")
    put(bucket, package, "all/cars/1")
    assert [row["model_id"] for row in models("add", "s3://models/all")[1]["added"]] == ["cars/1", "plates/1"]


def test_a_truncated_upload_is_refused(models: Command, bucket: Any, package: Path) -> None:
    put(bucket, package, "cut/1")
    bucket.pipe("models/cut/1/weights.onnx", (package / "weights.onnx").read_bytes()[:-10])
    status, said = models("add", "s3://models/cut/1")
    assert status == 3
    assert said["error"]["message"].startswith("s3://models/cut/1: weights.onnx is no whole ONNX file")
    assert models.listed() == []


@pytest.mark.parametrize("source", ["s3://models/nowhere", "s3://no-such-bucket/a"])
def test_what_is_not_there_is_said_so(models: Command, bucket: Any, source: str) -> None:
    status, said = models("add", source)
    assert status == 6
    assert said["error"]["message"].startswith(source)
    assert SECRET not in str(said)


def test_without_credentials_the_error_says_so(models: Command, bucket: Any, tmp_path: Path) -> None:
    models.environment["AWS_ACCESS_KEY_ID"] = models.environment["AWS_SECRET_ACCESS_KEY"] = ""
    models.environment["AWS_CONFIG_FILE"] = models.environment["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    models.environment["AWS_EC2_METADATA_DISABLED"] = "true"
    status, said = models("add", "s3://models/plates/2")
    assert status == 6
    assert "redential" in said["error"]["message"]
