"""The route that reads text on one image or several."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from deployments.ingress.bodies import TextReadingBody
from deployments.ingress.exchange import exchange_of, while_connected
from deployments.ingress.json_codec import JsonResponse
from deployments.ingress.predictions import text_answer
from deployments.ingress.request_body import body_schema, read_body
from deployments.ingress.service_access import begin_work, service_of

router = APIRouter(tags=["model inference"])


@router.post("/doctr/ocr", openapi_extra=body_schema(TextReadingBody))
async def read_text(request: Request) -> Response:
    """Text on one image, or a list of answers for a list of images."""
    body = await read_body(request, TextReadingBody)
    work = begin_work(request)
    model_id = body.model_id or f"doctr/{body.doctr_version_id}"
    images = [*body.image] if isinstance(body.image, list) else [body.image]
    service, auto_orient = service_of(request), not body.disable_preproc_auto_orient
    found = await while_connected(request, service.read_text(images, model_id, work, auto_orient=auto_orient))
    answers = [
        text_answer(text, image.wh, exchange_of(request).elapsed_s, boxes=body.generate_bounding_boxes)
        for image, text in found
    ]
    return JsonResponse(answers if isinstance(body.image, list) else answers[0])
