"""Images for tests of the data plane."""

import io

import cv2
import numpy as np
from PIL import Image as PillowImage

from workflows.values.image import Image
from workflows.values.origin import Placement
from workflows.values.video import VideoMetadata


def black_image(width=10, height=5, image_id="image"):
    """An image that holds pixels."""
    placement = Placement.of_upload(image_id, (width, height))
    return Image.from_pixels(np.zeros((height, width, 3), dtype=np.uint8), placement, VideoMetadata.of_still(image_id))


def torn_image(image_id="image"):
    """An image whose header is right and whose pixels are missing."""
    encoded = cv2.imencode(".png", np.full((5, 10, 3), 7, dtype=np.uint8))[1].tobytes()[:40]
    placement = Placement.of_upload(image_id, (10, 5))
    return Image(placement=placement, video=VideoMetadata.of_still(image_id), wh=(10, 5), encoded=encoded)


def lying_image(width=20, height=10, image_id="image"):
    """A JPEG whose EXIF data say that it is to be turned by a quarter: what lies `width` wide stands `height` wide."""
    exif = PillowImage.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    PillowImage.fromarray(np.zeros((height, width, 3), dtype=np.uint8)).save(buffer, "JPEG", exif=exif)
    placement = Placement.of_upload(image_id, (height, width))
    video = VideoMetadata.of_still(image_id)
    return Image(placement=placement, video=video, wh=(height, width), encoded=buffer.getvalue())
