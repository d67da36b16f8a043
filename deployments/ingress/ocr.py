"""The routes that read text on one image or several."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from deployments.ingress.bodies import ModelInferenceBody, PpOcrBody, TextReadingBody
from deployments.ingress.exchange import exchange_of, while_connected
from deployments.ingress.json_codec import JsonResponse
from deployments.ingress.predictions import line_answer, text_answer
from deployments.ingress.request_body import body_schema, read_body
from deployments.ingress.service_access import begin_work, service_of
from workflows.values.recognized_text import RecognizedText

router = APIRouter(tags=["model inference"])

Answer = Callable[[RecognizedText, tuple[int, int], float], dict[str, Any]]
"""(what was read, size of the image, seconds it took) -> JSON."""


@router.post("/doctr/ocr", openapi_extra=body_schema(TextReadingBody))
async def read_text(request: Request) -> Response:
    """Text on one image, or a list of answers for a list of images."""
    body = await read_body(request, TextReadingBody)

    def answer(text: RecognizedText, image_wh: tuple[int, int], time_s: float) -> dict[str, Any]:
        return text_answer(text, image_wh, time_s, boxes=body.generate_bounding_boxes)

    return await _read(request, body, body.model_id or f"doctr/{body.doctr_version_id}", answer)


@router.post("/ocr/pp-ocr", openapi_extra=body_schema(PpOcrBody))
async def read_lines(request: Request) -> Response:
    """Lines on one image, or a list of answers for a list of images."""
    body = await read_body(request, PpOcrBody)
    return await _read(request, body, body.model_id, line_answer)


async def _read(request: Request, body: ModelInferenceBody, model_id: str, answer: Answer) -> Response:
    work = begin_work(request)
    images = [*body.image] if isinstance(body.image, list) else [body.image]
    service, auto_orient = service_of(request), not body.disable_preproc_auto_orient
    found = await while_connected(request, service.read_text(images, model_id, work, auto_orient=auto_orient))
    answers = [answer(text, image.wh, exchange_of(request).elapsed_s) for image, text in found]
    return JsonResponse(answers if isinstance(body.image, list) else answers[0])
