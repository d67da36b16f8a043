"""The route that runs one object detector on one image or several."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from deployments.ingress.bodies import ObjectDetectionBody
from deployments.ingress.drawing import draw_detections
from deployments.ingress.exchange import exchange_of, while_connected
from deployments.ingress.json_codec import JsonResponse
from deployments.ingress.predictions import detection_answer
from deployments.ingress.request_body import body_schema, read_body
from deployments.ingress.service_access import begin_work, service_of
from deployments.models.tasks import DETECTION
from workflows.ports import PredictionOptions

router = APIRouter(tags=["model inference"])


@router.post("/infer/object_detection", openapi_extra=body_schema(ObjectDetectionBody))
async def detect_objects(request: Request) -> Response:
    """Boxes on one image, or a list of answers for a list of images."""
    body = await read_body(request, ObjectDetectionBody)
    answers = await detection_answers(request, body, [*body.image] if isinstance(body.image, list) else [body.image])
    return JsonResponse(answers if isinstance(body.image, list) else answers[0])


async def detection_answers(request: Request, body: ObjectDetectionBody, images: list[Any]) -> list[dict[str, Any]]:
    """The answer for each image, drawn on it when the body asks for that."""
    work = begin_work(request)
    options = PredictionOptions(
        confidence=body.confidence,
        iou_threshold=body.iou_threshold,
        max_detections=body.max_detections,
        class_agnostic_nms=body.class_agnostic_nms,
        class_filter=tuple(body.class_filter) if body.class_filter else None,
        disable_contrast=body.disable_preproc_contrast,
        disable_grayscale=body.disable_preproc_grayscale,
        disable_static_crop=body.disable_preproc_static_crop,
    )
    service, auto_orient = service_of(request), not body.disable_preproc_auto_orient
    found = await while_connected(
        request, service.predict(images, body.model_id, DETECTION, options, work, auto_orient=auto_orient)
    )
    answers = []
    for image, detections in found:
        answer = detection_answer(detections, body.id, exchange_of(request).elapsed_s)
        if body.visualize_predictions:
            answer["visualization"] = await asyncio.to_thread(
                draw_detections,
                image,
                detections,
                labels=body.visualization_labels,
                stroke_px=body.visualization_stroke_width,
            )
        answers.append(answer)
    return answers
