"""Operations on images."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import pybase64
from pydantic import Field

from workflows.errors import ImageDecodeError, OperationError
from workflows.kinds import Kind
from workflows.query.operation import NUMBER_KINDS, Names, Operation, expect, operation_failed
from workflows.values.image import Image
from workflows.values.image_codec import encode_jpeg


class ExtractImageProperty(Operation):
    """Gives the size of an image in pixels, a side, or width over height."""

    takes: ClassVar = (Kind.IMAGE,)
    gives: ClassVar = NUMBER_KINDS

    type: Literal["ExtractImageProperty"]
    property_name: Literal["size", "height", "width", "aspect_ratio"]

    def apply(self, value: Any, names: Names) -> float:
        width, height = expect(value, Image, "an image").wh
        match self.property_name:
            case "size":
                return width * height
            case "height":
                return height
            case "width":
                return width
        return width / height


class ExtractFrameMetadata(Operation):
    """Gives the place of an image in its video."""

    takes: ClassVar = (Kind.IMAGE,)
    gives: ClassVar = (Kind.INTEGER, Kind.FLOAT, Kind.TIMESTAMP)

    type: Literal["ExtractFrameMetadata"]
    property_name: Literal["frame_number", "frame_timestamp", "seconds_since_start"]

    def apply(self, value: Any, names: Names) -> Any:
        frame = expect(value, Image, "an image").video
        if self.property_name == "frame_number":
            return frame.frame_number
        if self.property_name == "frame_timestamp":
            return frame.frame_timestamp
        if not frame.fps:
            raise OperationError("the video says nothing about its frames a second, so no time can be told")
        return (frame.frame_number - 1) / frame.fps


class ConvertImageToJPEG(Operation):
    """Encodes an image as JPEG."""

    takes: ClassVar = (Kind.IMAGE,)
    gives: ClassVar = (Kind.BYTES,)

    type: Literal["ConvertImageToJPEG"]
    compression_level: int = Field(default=95, ge=1, le=100, description="Quality of the JPEG.")

    def apply(self, value: Any, names: Names) -> bytes:
        pixels = expect(value, Image, "an image").pixels  # bytes that are no picture are no fault of the operation
        try:
            return encode_jpeg(pixels, self.compression_level)
        except ImageDecodeError as error:
            raise operation_failed(error.message, error) from error

    @property
    def works_on_pixels(self) -> bool:
        return True


class ConvertImageToBase64(Operation):
    """Writes an image as base64 text: an uploaded one as it came, others as JPEG."""

    takes: ClassVar = (Kind.IMAGE,)
    gives: ClassVar = (Kind.STRING,)

    type: Literal["ConvertImageToBase64"]

    def apply(self, value: Any, names: Names) -> str:
        return pybase64.b64encode_as_string(expect(value, Image, "an image").encoded)

    @property
    def works_on_pixels(self) -> bool:
        return True
