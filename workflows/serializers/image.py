"""Images on the wire: base64 text or an address going in, base64 text with identity and place going out."""

from __future__ import annotations

import binascii
import re
from typing import Any

import pybase64
from pydantic import BaseModel, ConfigDict, ValidationError

from workflows.errors import ImageDecodeError, RuntimeInputError
from workflows.serializers.origin import OriginJson, write_origin
from workflows.serializers.validation import first_problem
from workflows.serializers.video import read_video_metadata, write_video_metadata
from workflows.values.image import Image
from workflows.values.image_codec import check_size
from workflows.values.origin import Origin, Placement
from workflows.values.video import VideoMetadata
from workflows.values.wording import type_in_words

DATA_URI = re.compile(r"^data:image/[A-Za-z0-9.+\-]+;base64,")
ADDRESS = re.compile(r"^https?://", re.IGNORECASE)
SECURE_ADDRESS = re.compile(r"^https://", re.IGNORECASE)


class ImageJson(BaseModel):
    """An image as clients send it; `type` may be missing, then the value says what it is."""

    model_config = ConfigDict(extra="ignore")

    value: str
    type: str | None = None
    video_metadata: dict[str, Any] | None = None
    parent_id: str | None = None
    parent_origin: OriginJson | None = None
    root_parent_id: str | None = None
    root_parent_origin: OriginJson | None = None


def image_url(value: Any, image_id: str = "image") -> str | None:
    """The address a picture must be fetched from before `read_image`; None when the picture came with the request.

    Raises:
        RuntimeInputError: the address is not https.
    """
    if isinstance(value, str):
        return _address(value, None, image_id)
    if isinstance(value, dict) and isinstance(value.get("value"), str):
        return _address(value["value"], value.get("type"), image_id)
    return None


def read_image(
    value: Any, image_id: str, *, max_pixels: int, fetched: bytes | None = None, auto_orient: bool = True
) -> Image:
    """An image that a client sent; its header is read, its pixels are not.

    Args:
        value: base64 text with or without a data-URI prefix, an address, or an object with one of them as `value`.
        image_id: identity, unless the object names one in `parent_id`.
        max_pixels: largest accepted picture.
        fetched: what is behind `image_url(value)`, when the value is an address.
        auto_orient: whether the picture is turned as its EXIF orientation says.

    Raises:
        RuntimeInputError: the value is none of these.
        ImageDecodeError: the bytes are no readable picture, or it is too large.
    """
    if isinstance(value, Image):
        return value
    sent = _sent_image(value, image_id)
    if _address(sent.value, sent.type, image_id) is None:
        encoded, source_text = decode_base64(sent.value, image_id), sent.value
    elif fetched is None:
        raise RuntimeInputError(f"image `{image_id}` is an address, and addresses are not fetched here; send base64")
    else:
        encoded, source_text = fetched, None
    wh = check_size(encoded, max_pixels=max_pixels, auto_orient=auto_orient)
    placement = _placement(sent, image_id, wh)
    if sent.video_metadata is None:
        video = VideoMetadata.of_still(placement.parent.id)
    else:
        video = read_video_metadata(sent.video_metadata, image_id)
    return Image(
        placement=placement, video=video, wh=wh, encoded=encoded, auto_orient=auto_orient, source_text=source_text
    )


def decode_base64(text: str, image_id: str) -> bytes:
    """Bytes of base64 text, its data-URI prefix left out.

    Raises:
        ImageDecodeError: not base64.
    """
    try:
        payload = DATA_URI.sub("", text, count=1) if text.startswith("data:") else text
        try:
            return pybase64.b64decode(payload, validate=True)
        except binascii.Error:  # line breaks or a stray sign: the slow decoder skips what is not base64
            return binascii.a2b_base64(payload)
    except ValueError as error:
        raise ImageDecodeError(
            f"image `{image_id}` is not base64 text ({error}); send the file's bytes in base64"
        ) from error


def write_image(image: Image) -> dict[str, Any]:
    """An image as base64; an unmodified input as the very text the client sent."""
    written: dict[str, Any] = {
        "type": "base64",
        "value": image.source_text or pybase64.b64encode_as_string(image.encoded),
        "video_metadata": write_video_metadata(image.video),
    }
    parent, root = image.placement.parent, image.placement.root
    if parent.id != root.id:
        written["parent_id"] = parent.id
        written["parent_origin"] = write_origin(parent)
        written["root_parent_id"] = root.id
        written["root_parent_origin"] = write_origin(root)
    return written


def _address(text: str, declared_type: Any, image_id: str) -> str | None:
    is_url = declared_type.lower() == "url" if isinstance(declared_type, str) else ADDRESS.match(text) is not None
    if not is_url:
        return None
    if not SECURE_ADDRESS.match(text):
        raise RuntimeInputError(f"the address of image `{image_id}` must begin with https://")
    return text


def _sent_image(value: Any, image_id: str) -> ImageJson:
    if isinstance(value, str):
        return ImageJson(value=value)
    if not isinstance(value, dict):
        raise RuntimeInputError(
            f"image `{image_id}` is {type_in_words(value)}; send base64 text, an https address, "
            'or {"type": "base64", "value": ...}'
        )
    kind = value.get("type")
    if kind is not None and str(kind).lower() not in {"base64", "url"}:
        raise RuntimeInputError(f"image `{image_id}` has the type {kind!r}, which is not accepted; send base64 or url")
    try:
        return ImageJson.model_validate(value)
    except ValidationError as error:
        raise RuntimeInputError(
            f'image `{image_id}` must look like {{"type": "base64", "value": ...}}: {first_problem(error)}'
        ) from error


def _placement(sent: ImageJson, image_id: str, wh: tuple[int, int]) -> Placement:
    parent_id = sent.parent_id or image_id
    parent = sent.parent_origin.named(parent_id) if sent.parent_origin else _whole(parent_id, wh)
    if sent.root_parent_origin is None:
        root = Origin(
            id=sent.root_parent_id or parent_id,
            left_px=parent.left_px,
            top_px=parent.top_px,
            width_px=parent.width_px,
            height_px=parent.height_px,
        )
    else:
        root = sent.root_parent_origin.named(sent.root_parent_id or parent_id)
    return Placement(parent=parent, root=root)


def _whole(identity: str, wh: tuple[int, int]) -> Origin:
    return Origin(id=identity, width_px=wh[0], height_px=wh[1])
