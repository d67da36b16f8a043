"""The routes that run one model on one image or several."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from deployments.ingress.bodies import (
    ClassificationBody,
    InstanceSegmentationBody,
    KeypointDetectionBody,
    MaskFormat,
    ObjectDetectionBody,
    PredictionBody,
)
from deployments.ingress.drawing import draw_classification, draw_detections
from deployments.ingress.exchange import exchange_of, while_connected
from deployments.ingress.json_codec import JsonResponse
from deployments.ingress.predictions import classification_answer, detection_answer
from deployments.ingress.request_body import body_schema, read_body
from deployments.ingress.service_access import begin_work, service_of
from deployments.models.tasks import CLASSIFICATION, DETECTION, KEYPOINTS, SEGMENTATION, Tasks
from workflows.values.classification import Classification
from workflows.values.detections import Detections
from workflows.values.image import Image

router = APIRouter(tags=["model inference"])


@router.post("/infer/object_detection", openapi_extra=body_schema(ObjectDetectionBody))
async def detect_objects(request: Request) -> Response:
    """Boxes on one image, or a list of answers for a list of images."""
    return await _respond(request, ObjectDetectionBody, DETECTION)


@router.post("/infer/instance_segmentation", openapi_extra=body_schema(InstanceSegmentationBody))
async def segment_instances(request: Request) -> Response:
    """Boxes and masks on one image, or a list of answers for a list of images."""
    return await _respond(request, InstanceSegmentationBody, SEGMENTATION)


@router.post("/infer/keypoints_detection", openapi_extra=body_schema(KeypointDetectionBody))
async def detect_keypoints(request: Request) -> Response:
    """Boxes and key points on one image, or a list of answers for a list of images."""
    return await _respond(request, KeypointDetectionBody, KEYPOINTS)


@router.post("/infer/classification", openapi_extra=body_schema(ClassificationBody))
async def classify(request: Request) -> Response:
    """Classes of one image, or a list of answers for a list of images."""
    return await _respond(request, ClassificationBody, CLASSIFICATION)


async def prediction_answers(
    request: Request, body: PredictionBody, tasks: Tasks, images: list[Any]
) -> list[dict[str, Any]]:
    """The answer for each image, drawn on it when the body asks for that.

    Args:
        request: for the work and the connection.
        body: what is asked, of which model.
        tasks: what the client can take an answer of.
        images: as the client sent them.
    """
    work = begin_work(request)
    service, auto_orient = service_of(request), not body.disable_preproc_auto_orient
    found = await while_connected(
        request, service.predict(images, body.model_id, tasks, body.options(), work, auto_orient=auto_orient)
    )
    answers = []
    for image, prediction in found:
        masked = isinstance(prediction, Detections) and prediction.masks is not None  # outlines take their time
        time_s = exchange_of(request).elapsed_s
        answer = (
            await asyncio.to_thread(_answer, prediction, body, time_s) if masked else _answer(prediction, body, time_s)
        )
        if body.visualize_predictions:
            answer["visualization"] = await asyncio.to_thread(_drawn, image, prediction, body)
        answers.append(answer)
    return answers


async def _respond(request: Request, model: type[PredictionBody], tasks: Tasks) -> Response:
    body = await read_body(request, model)
    many = isinstance(body.image, list)
    answers = await prediction_answers(request, body, tasks, [*body.image] if many else [body.image])
    return JsonResponse(answers if many else answers[0])


def _answer(prediction: Detections | Classification, body: PredictionBody, time_s: float) -> dict[str, Any]:
    if isinstance(prediction, Classification):
        return classification_answer(prediction, body.id, time_s)
    mask_format: MaskFormat = body.response_mask_format if isinstance(body, InstanceSegmentationBody) else "polygon"
    return detection_answer(prediction, body.id, time_s, mask_format)


def _drawn(image: Image, prediction: Detections | Classification, body: PredictionBody) -> bytes:
    stroke_px = body.visualization_stroke_width
    if isinstance(prediction, Classification):
        return draw_classification(image, prediction, stroke_px=stroke_px)
    labels = isinstance(body, ObjectDetectionBody) and body.visualization_labels
    return draw_detections(image, prediction, labels=labels, stroke_px=stroke_px)
