"""Where the GCS keeps its state, as one option says it."""

from __future__ import annotations

from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from deployments.cli.gcs_storage import GcsStorage, GcsStorageError, read_gcs_storage
from deployments.cli.ray_environment import gcs_environment
from deployments.kubernetes.values import NoGcsStorage, Redis, RocksDb

FOLDER = Path("/run/x/gcs")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("none", GcsStorage()),
        ("rocksdb", GcsStorage(backend="rocksdb")),
        ("redis://redis.stores:6390", GcsStorage(backend="redis", redis_host="redis.stores", redis_port=6390)),
        ("redis://localhost", GcsStorage(backend="redis", redis_host="localhost", redis_port=6379)),
    ],
)
def test_an_option_names_a_storage(text, expected):
    assert read_gcs_storage(text) == expected


@pytest.mark.parametrize(
    "text", ["", "memory", "redis", "redis://", "redis://host:x", "http://host:1", "redis://host/2"]
)
def test_what_is_no_storage_is_refused_with_those_there_are(text):
    with pytest.raises(GcsStorageError, match="none, rocksdb, redis://host:port"):
        read_gcs_storage(text)


def test_a_password_is_not_taken_from_the_command_line_nor_shown():
    with pytest.raises(GcsStorageError, match="REDIS_PASSWORD") as refusal:
        read_gcs_storage("redis://:secret@localhost:6379")
    assert "secret" not in refusal.value.message


def test_the_kinds_are_named_as_in_the_values_of_kubernetes():
    ours = set(get_args(get_type_hints(GcsStorage)["backend"]))
    theirs = {get_args(kind.model_fields["backend"].annotation)[0] for kind in (Redis, RocksDb, NoGcsStorage)}
    assert ours == theirs


def test_without_a_storage_ray_is_told_nothing():
    assert gcs_environment(GcsStorage(), folder=FOLDER, namespace="a") == {}


def test_ray_is_told_the_folder_or_the_server():
    rocksdb = gcs_environment(GcsStorage(backend="rocksdb"), folder=FOLDER, namespace="a")
    assert (rocksdb["RAY_gcs_storage"], rocksdb["RAY_gcs_storage_path"]) == ("rocksdb", "/run/x/gcs")
    redis = gcs_environment(read_gcs_storage("redis://localhost:6390"), folder=FOLDER, namespace="a")
    assert (redis["RAY_REDIS_ADDRESS"], redis["RAY_external_storage_namespace"]) == ("localhost:6390", "a")
