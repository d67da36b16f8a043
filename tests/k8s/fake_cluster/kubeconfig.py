"""How the official client finds the fake API server."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.k8s.fake_cluster.api_server import TOKEN, ApiServer


def write_kubeconfig(path: Path, server: ApiServer) -> None:
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "fake",
        "clusters": [{"name": "fake", "cluster": {"server": server.url}}],
        "users": [{"name": "me", "user": {"token": TOKEN}}],
        "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "me"}}],
    }
    path.write_text(yaml.safe_dump(content))
