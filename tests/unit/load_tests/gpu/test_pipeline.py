from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from deployments.models.detection.scored_boxes import ScoredBoxes
from load_tests.gpu.pipeline import Manner, Pipeline, PipelineRates, main, manners_of, measured
from load_tests.pictures import photograph


class Detector:
    """Finds so many boxes on every picture."""

    def __init__(self, boxes: int) -> None:
        self.calls: list[int] = []
        self._found = ScoredBoxes(
            xyxy=np.tile(np.array([[300, 300, 500, 400]], dtype=np.float32), (boxes, 1)),
            confidence=np.ones(boxes, dtype=np.float32),
            class_id=np.zeros(boxes, dtype=np.int64),
            class_names=("plate",) * boxes,
        )

    def predict_batch(self, pictures: list[Any], options: list[Any]) -> Any:
        self.calls.append(len(pictures))
        return SimpleNamespace(predictions=[self._found] * len(pictures))


class Reader:
    def __init__(self) -> None:
        self.calls: list[int] = []

    def read_batch(self, crops: list[Any]) -> Any:
        self.calls.append(len(crops))
        return SimpleNamespace(pages=[""] * len(crops))


def pipeline_of(boxes: int) -> tuple[Pipeline, Detector, Reader]:
    detector, reader = Detector(boxes), Reader()
    return Pipeline(detector=detector, reader=reader, crops=16), detector, reader  # type: ignore[arg-type]


@pytest.mark.parametrize("boxes", [0, 1, 16, 20])
@pytest.mark.parametrize(
    ("number", "detected", "read"), [(0, [1], [1] * 16), (1, [1], [16]), (2, [4], [32, 32])], ids=["1", "16", "shared"]
)
def test_every_request_has_as_many_crops_in_calls_of_the_size_of_its_manner(
    boxes: int, number: int, detected: list[int], read: list[int]
) -> None:
    pipeline, detector, reader = pipeline_of(boxes)
    assert pipeline.answer(photograph(1), manners_of(16, 4)[number]) == sum(read)
    assert (detector.calls, reader.calls) == (detected, read)


def test_a_row_counts_requests_and_not_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = itertools.count(0, 0.5)
    clock = SimpleNamespace(perf_counter=lambda: next(ticks))  # every run takes half a second
    monkeypatch.setattr("load_tests.gpu.pipeline.time", clock)
    pipeline, detector, _ = pipeline_of(1)
    row = measured(pipeline, "cpu", Manner(name="all", photographs=4, crops_a_call=32), 3)
    assert len(detector.calls) == 2 + 3  # two that are not counted
    assert (row.requests_s, row.median_ms) == (8, 500)
    assert row.gpu_busy_share is None


@pytest.mark.weights
def test_the_shipped_models_are_measured_on_a_cpu(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "pipeline.json"
    main(["--ways", "cpu", "--runs", "1", "--photographs", "2", "--out", str(out)])
    report = PipelineRates.model_validate_json(out.read_text())
    assert [row.manner for row in report.rows] == [manner.name for manner in manners_of(16, 2)]
    assert all(row.requests_s > 0 for row in report.rows)
    assert "| cpu | one crop a call |" in capsys.readouterr().out
