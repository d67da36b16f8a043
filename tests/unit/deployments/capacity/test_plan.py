from __future__ import annotations

import pytest

from deployments.capacity.figures import Figures
from deployments.capacity.model_steps import ModelStep
from deployments.capacity.plan import Answer, answer
from deployments.capacity.snippet import as_yaml, settings_of
from deployments.models.service_times import ServiceTimes
from deployments.settings import ClusterArgs

DETECT = ModelStep(step="detect", model_id="plates/2", items=1)
READ = ModelStep(step="read", model_id="doctr/default", items=3)
FIGURES = {
    "plates/2": Figures(
        times=ServiceTimes.line(20, 10), max_batch_items=8, device="cuda", measured="as written"
    ),  # 80 a second
    "doctr/default": Figures(
        times=ServiceTimes.line(4, 1), max_batch_items=None, device="cpu", measured="as written"
    ),  # 16 in 20 ms: 800 a second
}


def answered(*steps: ModelStep, units: float = 0.0, rate: float = 100.0) -> Answer:
    return answer(
        steps,
        FIGURES,
        {"plates/2": "ObjectDetector-plates.2", "doctr/default": "TextReader-doctr.default"},
        batch_items={"plates/2": 32, "doctr/default": 16},
        transforms=(units, 10.0),
        requests_s=rate,
        utilisation=0.5,
        router_cpu_ms=4.0,
    )


def test_each_deployment_gets_what_its_share_of_the_rate_takes() -> None:
    found = answered(DETECT, READ, units=1.0)
    assert [(row.deployment, row.replicas) for row in found.rows] == [
        ("ObjectDetector-plates.2", 3),  # 100 / (80 * 0.5)
        ("TextReader-doctr.default", 1),  # 300 / (800 * 0.5)
        ("TransformWorker", 2),  # 100 / (100 * 0.5)
    ]
    assert found.routers == 1  # 100 * 4 ms / 0.5
    detector = found.rows[0]
    assert (detector.max_batch_items, detector.service_ms, detector.carries_rps) == (8, 100, 240)
    assert (found.num_cpus, found.num_gpus) == (1 + 3 + 1 + 2, 3)


def test_steps_that_ask_the_same_model_are_added_up() -> None:
    (row,) = answered(DETECT, ModelStep(step="again", model_id="plates/2", items=1)).rows
    assert (row.items, row.steps, row.replicas) == (2, ("detect", "again"), 5)


def test_a_workflow_without_models_takes_a_router_alone() -> None:
    found = answered(rate=1000.0)
    assert (found.rows, found.routers) == ((), 8)
    assert settings_of(found)["args"] == {"models": {}}


def test_the_settings_are_those_of_an_application() -> None:
    settings = settings_of(answered(DETECT, READ, units=1.0))
    models = ClusterArgs.model_validate(settings["args"]).models
    assert (models["plates/2"].replicas, models["plates/2"].num_gpus) == (3, 1)
    assert (models["doctr/default"].replicas, models["doctr/default"].num_gpus) == (1, None)
    assert settings["deployments"] == [
        {"name": "WorkflowRouter", "autoscaling_config": {"min_replicas": 1, "max_replicas": 1}},
        {"name": "TransformWorker", "autoscaling_config": {"min_replicas": 2, "max_replicas": 2}},
    ]
    assert "plates/2: {replicas: 3, max_batch_items: 8, num_cpus: 1.0, num_gpus: 1.0}" in as_yaml(answered(DETECT))


@pytest.mark.parametrize("device", ["triton", "cpu"])
def test_what_runs_elsewhere_or_on_a_cpu_takes_no_gpu_here(device: str) -> None:
    figures = {"plates/2": Figures(times=ServiceTimes.line(1, 1), max_batch_items=8, device=device, measured="")}
    found = answer(
        [DETECT],
        figures,
        {"plates/2": "ObjectDetector-plates.2"},
        batch_items={"plates/2": 8},
        transforms=(0.0, 1.0),
        requests_s=1.0,
        utilisation=1.0,
        router_cpu_ms=0.0,
    )
    assert found.num_gpus == 0
