"""The file for Prometheus."""

from __future__ import annotations

import json

from deployments.cli.scrape_targets import write_targets


def test_prometheus_is_told_where_to_look_and_whose_it_is(tmp_path):
    path = tmp_path / "prometheus.json"
    write_targets(path, server="localhost:9001", ports=[20007])
    assert json.loads(path.read_text()) == [
        {"targets": ["127.0.0.1:20007"], "labels": {"server": "localhost:9001", "role": "head"}}
    ]


def test_another_start_replaces_the_file(tmp_path):
    path = tmp_path / "prometheus.json"
    write_targets(path, server="localhost:9001", ports=[1])
    write_targets(path, server="localhost:9001", ports=[])
    assert json.loads(path.read_text())[0]["targets"] == []
    assert list(tmp_path.iterdir()) == [path]
