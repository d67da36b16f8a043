from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deployments.capacity.figures import read_figures
from deployments.errors import InvalidRequestError


def written(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "figures.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_what_models_check_prints_is_times_of_whole_batches(tmp_path: Path) -> None:
    row = {"model_id": "plates/2", "ms_an_image": {"1": 20, "8": 15}, "max_batch_size": None, "batch_size": None}
    figures = read_figures(written(tmp_path, {"ok": True, "models": [{**row, "device": "cpu"}]}))["plates/2"]
    assert figures.times.ms_by_batch == {1: 20, 8: 120}
    assert (figures.max_batch_items, figures.device, figures.measured) == (None, "cpu", "the network alone")


def test_a_line_or_a_table_may_be_written_by_hand(tmp_path: Path) -> None:
    line = {"fixed_ms": 8, "per_item_ms": 1.5, "max_batch_items": 16, "device": "cuda"}
    figures = read_figures(written(tmp_path, {"plates/2": line, "cars/1": {"ms_by_batch": {"1": 9, "8": 20}}}))
    assert (figures["plates/2"].times.ms(8), figures["plates/2"].max_batch_items) == (20, 16)
    assert (figures["cars/1"].times.ms(8), figures["cars/1"].device) == (20, "cpu")


@pytest.mark.parametrize(("name", "device"), [("CPU", "cpu"), ("Cuda", "cuda"), ("Triton", "triton")])
def test_devices_may_be_written_in_capitals(tmp_path: Path, name: str, device: str) -> None:
    by_hand = {"plates/2": {"fixed_ms": 8, "per_item_ms": 1.5, "device": name}}
    checked = {"ok": True, "models": [{"model_id": "plates/2", "ms_an_image": {"1": 20}, "device": name}]}
    for content in (by_hand, checked):
        assert read_figures(written(tmp_path, content))["plates/2"].device == device


def test_no_model_is_no_mistake(tmp_path: Path) -> None:
    assert read_figures(written(tmp_path, {})) == {}
    assert read_figures(written(tmp_path, {"ok": True, "models": []})) == {}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "is no JSON"),
        ([], "must be an object"),
        ({"ok": False, "error": {"message": "broken"}}, "holds an error of `models check`"),
        ({"plates/2": {}}, "give fixed_ms and per_item_ms, or ms_by_batch"),
        ({"plates/2": {"fixed_ms": 1, "per_item_ms": 1, "ms_by_batch": {"1": 2}}}, "or ms_by_batch"),
        ({"plates/2": {"fixed_ms": 1, "per_item_ms": -1}}, "per_item_ms: Input should be greater"),
        ({"plates/2": {"fixed_ms": 0, "per_item_ms": 0}}, "batch 1 takes 0 ms"),
        ({"plates/2": {"speed": 1}}, "speed: Extra inputs"),
        ({"plates/2": {"ms_by_batch": {"1": 2}, "device": "gpu"}}, "'gpu' is none of cpu, cuda, triton, emulated"),
        ('{"plates/2": {"fixed_ms": 1, "per_item_ms": Infinity}}', "per_item_ms: Input should be a finite number"),
        ('{"plates/2": {"fixed_ms": NaN, "per_item_ms": 1}}', "fixed_ms: Input should be a finite number"),
        ('{"plates/2": {"ms_by_batch": {"1": Infinity}}}', "batch 1 takes inf ms"),
        ('{"ok": true, "models": [{"model_id": "a", "ms_an_image": {"1": 1e999}}]}', "batch 1 takes inf ms"),
        ({"ok": True, "models": [{"model_id": "plates/2"}]}, "'ms_an_image'; it must be what"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, content: Any, says: str) -> None:
    with pytest.raises(InvalidRequestError, match=says):
        read_figures(written(tmp_path, content))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match=r"cannot read .*none\.json: No such file"):
        read_figures(tmp_path / "none.json")
