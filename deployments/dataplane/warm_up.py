"""What a server does before it says that it is ready."""

from __future__ import annotations

from deployments.dataplane.sample import sample_request, texts_read
from deployments.dataplane.service import WorkflowService

WARM_UP_TIMEOUT_S = 120.0


async def warm_up(service: WorkflowService) -> list[str]:
    """Answer the sample request, and read one picture whatever the detector found; gives the texts read.

    That touches everything a client's first request touches: plan, image codec, each deployment, each shipped model.

    Raises:
        WorkflowError: a step failed.
        ServingError: a deployment does not answer.
    """
    request = sample_request()
    work = service.begin("warm-up", WARM_UP_TIMEOUT_S)
    outputs = await service.run_workflow(
        request["specification"], request["inputs"], excluded_fields=request["excluded_fields"], work=work
    )
    await service.read_text([request["inputs"]["image"]], service.text_reader_model, work)
    return texts_read(outputs)
