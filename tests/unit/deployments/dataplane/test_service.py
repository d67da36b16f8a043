import time

import pytest

from deployments.dataplane.service import WorkflowService
from deployments.errors import ImageInputError, OverloadedError
from deployments.models.errors import ModelLoadError
from deployments.models.tasks import DETECTION
from deployments.settings import IngressSettings
from tests.unit.deployments.fake_backend import FakeBackend
from tests.unit.deployments.ingress.conftest import SPECIFICATION
from workflows.errors import DeadlineExceededError, ImageDecodeError, StepExecutionError, WorkflowSyntaxError
from workflows.ports import PredictionOptions

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYGAAAAAEAAH2FzhVAAAAAElFTkSuQmCC"


@pytest.fixture
def backend():
    return FakeBackend()


def service(backend, **settings):
    return WorkflowService(backend, IngressSettings(**settings))


async def run(its_service, work=None):
    work = work or its_service.begin("x")
    return await its_service.run_workflow(SPECIFICATION, {"image": PIXEL}, excluded_fields=(), work=work)


async def predict(its_service, images, work):
    return await its_service.predict([{"value": PIXEL}] * images, "plates/1", DETECTION, PredictionOptions(), work)


@pytest.mark.parametrize(("asked_s", "given_s"), [(None, 7), (3, 3), (1000, 20)])
def test_a_request_gets_the_time_it_asks_for_within_the_limit(backend, asked_s, given_s):
    work = service(backend, default_timeout_s=7, max_timeout_s=20).begin("x", asked_s)
    assert work.deadline_unix_s - time.time() == pytest.approx(given_s, abs=0.5)


async def test_a_workflow_runs_from_document_to_outputs(backend):
    (output,) = await run(service(backend))
    assert set(output) == {"predictions", "texts"}


async def test_a_definition_is_compiled_once(backend):
    its_service = service(backend)
    assert its_service.compile(SPECIFICATION) is its_service.compile({**SPECIFICATION})


def test_a_definition_with_too_many_steps_is_refused(backend):
    with pytest.raises(WorkflowSyntaxError):
        service(backend, max_steps=2).compile(SPECIFICATION)


async def test_failures_that_pass_are_no_failures_of_a_step(backend):
    backend.error = OverloadedError("full")
    with pytest.raises(OverloadedError):
        await run(service(backend))


async def test_a_model_that_does_not_load_is_the_failure_of_its_step(backend):
    backend.error = ModelLoadError("damaged", "plates/1")
    with pytest.raises(StepExecutionError, match="damaged") as caught:
        await run(service(backend))
    assert [problem.step for problem in caught.value.problems] == ["detector"]


async def test_a_run_out_of_time_is_cancelled(backend):
    backend.wait_s = 60
    its_service = service(backend)
    with pytest.raises(DeadlineExceededError):
        await run(its_service, its_service.begin("x", 1.0))
    assert backend.cancelled == 1


async def test_when_one_image_of_a_model_request_fails_the_others_are_cancelled(backend):
    backend.wait_s = 60
    its_service = service(backend)
    with pytest.raises(DeadlineExceededError):
        await predict(its_service, 3, its_service.begin("x", 1.0))
    assert backend.cancelled == 3


async def test_an_image_that_turns_out_to_be_torn_is_told_like_one_that_cannot_be_read(backend):
    its_service = service(backend)
    backend.error = ImageDecodeError("it is torn")
    with pytest.raises(ImageInputError, match="Cause: image 1 of 2: it is torn"):
        await predict(its_service, 2, its_service.begin("x"))
    with pytest.raises(ImageInputError, match="Cause: it is torn"):
        await its_service.read_text([{"value": PIXEL}], "doctr/default", its_service.begin("x"))
