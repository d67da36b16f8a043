"""What a TransformWorker does besides running stages."""

from __future__ import annotations

import numpy as np

from deployments.transforms.transform_worker import encode_images
from workflows.executor.dispatcher import Column
from workflows.values.image import Image
from workflows.values.origin import Placement
from workflows.values.video import VideoMetadata


def test_images_are_encoded_before_the_answer_leaves_the_thread():
    pixels = np.zeros((4, 6, 3), np.uint8)
    image = Image.from_pixels(pixels, Placement.of_upload("image", (6, 4)), VideoMetadata.of_still("image"))
    encode_images(
        {
            "$steps.a.crops": Column(lineage=("x",), values={(0,): image, (1,): None}),
            "$steps.a.n": Column(lineage=(), values={(): 3}),
        }
    )
    assert image._encoded is not None


def test_nothing_to_encode_is_fine():
    encode_images({})
