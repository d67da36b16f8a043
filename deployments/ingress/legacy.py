"""The oldest route: a model by its two path segments, options in the query, the bare image as the body.

It matches every path of two segments that nothing else took, so it is registered last.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, PositiveInt
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from deployments.errors import ImageInputError, InvalidRequestError
from deployments.ingress.bodies import AnyTaskBody, MaskFormat
from deployments.ingress.json_codec import JsonResponse
from deployments.ingress.model_inference import prediction_answers
from deployments.ingress.request_body import hang_up_while_sending, read_whole
from deployments.models.tasks import IMAGE_TASKS
from workflows.ports import MaskDecodeMode

router = APIRouter(tags=["model inference"])

MIN_CONFIDENCE = 0.01
MAX_PARTS = 16
"""Files of a form, and as many fields; only the one named `file` is looked at."""

ROUTE_FAMILIES = frozenset(
    {"clip", "doctr", "easy_ocr", "gaze", "grounding_dino", "infer", "inference_pipelines", "model", "ocr", "owlv2"}
    | {"perception_encoder", "sam", "sam2", "sam3", "sam3_3d", "start", "webrtc", "workflows", "yolo_world"}
)
"""First segments of paths that clients know as something else than models."""


class LegacyQuery(BaseModel):
    """Options of the route; clients write booleans as Python does."""

    model_config = ConfigDict(extra="ignore")

    api_key: str | None = None
    confidence: float | Literal["best", "default"] = 0.4
    keypoint_confidence: float = 0.0
    overlap: float = 0.3
    max_detections: PositiveInt = 300
    mask_decode_mode: MaskDecodeMode = "accurate"
    tradeoff_factor: float = Field(default=0.0, ge=0, le=1)
    response_mask_format: MaskFormat = "polygon"
    format: str = "json"
    image: str | None = None
    image_type: str = "base64"
    labels: bool = False
    stroke: int = 1
    disable_preproc_auto_orient: bool = False
    disable_preproc_contrast: bool = False
    disable_preproc_grayscale: bool = False
    disable_preproc_static_crop: bool = False


@router.get("/{dataset_id}/{version_id}")
@router.post("/{dataset_id}/{version_id}")
async def infer(request: Request, dataset_id: str, version_id: str, query: Annotated[LegacyQuery, Query()]) -> Response:
    """Predictions of one model on one image, in the form that its task has."""
    image = await _image_of(request, query, dataset_id)
    body = AnyTaskBody(
        model_id=f"{dataset_id}/{version_id}",
        image=image,
        confidence=_fraction(query.confidence, at_least=MIN_CONFIDENCE),
        iou_threshold=_fraction(query.overlap),
        max_detections=query.max_detections,
        keypoint_confidence=query.keypoint_confidence,
        mask_decode_mode=query.mask_decode_mode,
        tradeoff_factor=query.tradeoff_factor,
        response_mask_format=query.response_mask_format,
        visualize_predictions=query.format in ("image", "image_and_json"),
        visualization_labels=query.labels,
        visualization_stroke_width=query.stroke,
        disable_preproc_auto_orient=query.disable_preproc_auto_orient,
        disable_preproc_contrast=query.disable_preproc_contrast,
        disable_preproc_grayscale=query.disable_preproc_grayscale,
        disable_preproc_static_crop=query.disable_preproc_static_crop,
    )
    try:
        answer = (await prediction_answers(request, body, IMAGE_TASKS, [image]))[0]
    except ImageInputError as error:
        raise ImageInputError(f"{error.message}{_taken_as_model(request, dataset_id)}") from error
    if query.format == "image":
        return Response(answer["visualization"], media_type="image/jpeg")
    return JsonResponse(answer)


async def _image_of(request: Request, query: LegacyQuery, dataset_id: str) -> dict[str, Any] | bytes:
    if query.image is not None:
        return {"type": "url", "value": query.image}
    content_type = request.headers.get("content-type")
    if content_type is None:
        raise InvalidRequestError(
            "Content-Type header not provided with request. Send the image as the body, or its address as `image` in "
            f"the query{_taken_as_model(request, dataset_id)}"
        )
    if content_type.startswith("multipart/form-data"):
        with hang_up_while_sending():
            async with request.form(max_files=MAX_PARTS, max_fields=MAX_PARTS) as form:
                part = form.get("file")
                if not isinstance(part, UploadFile):
                    raise InvalidRequestError("the multipart body must hold the image in a part named `file`")
                return await part.read()
    # Whatever the header says: clients declare JSON and send bare base64.
    text = (await read_whole(request)).decode("ascii", errors="replace")
    return {"type": query.image_type, "value": text}


def _taken_as_model(request: Request, dataset_id: str) -> str:
    """Words for those who meant a route that is not served here, or is served with another method."""
    if dataset_id not in ROUTE_FAMILIES:
        return ""
    path = request.url.path[:200]
    return f"; {request.method} {path} is no route here and was taken as a call of the model {path.strip('/')!r}"


def _fraction(value: Any, at_least: float = 0.0) -> Any:
    """A share of one; numbers from one on are per cent."""
    if isinstance(value, str):
        return value
    return max(value / 100 if value >= 1 else value, at_least)
