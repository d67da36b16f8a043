import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tests.unit.workflows.builders import image, numbered_pixels
from workflows.errors import ImageDecodeError
from workflows.values.codec_counts import CODEC_COUNTS
from workflows.values.image import Image
from workflows.values.image_codec import encode_jpeg
from workflows.values.origin import Origin, Placement
from workflows.values.video import VideoMetadata

FLAT = np.full((20, 30, 3), 90, dtype=np.uint8)


def uploaded(encoded, **options):
    placement = Placement.of_upload("image", (30, 20))
    return Image(placement=placement, video=VideoMetadata.of_still("image"), wh=(30, 20), encoded=encoded, **options)


def test_an_image_of_nothing_is_refused():
    with pytest.raises(ValueError, match="encoded bytes or pixels"):
        uploaded(None)


def test_bytes_are_decoded_once_and_only_when_somebody_looks():
    broken = uploaded(b"no picture")
    assert broken.wh == (30, 20)
    assert broken.encoded == b"no picture"
    with pytest.raises(ImageDecodeError):
        _ = broken.pixels
    whole = uploaded(encode_jpeg(FLAT))
    assert np.shares_memory(whole.pixels, whole.pixels)


def test_a_jpeg_is_decoded_no_larger_than_it_is_looked_at_and_once():
    whole, before = uploaded(encode_jpeg(FLAT)), CODEC_COUNTS.decodes
    reduced = whole.pixels_for((8, 4))
    assert reduced.shape == (10, 15, 3)
    assert not reduced.flags.writeable
    assert np.shares_memory(reduced, whole.pixels_for((15, 10)))
    assert CODEC_COUNTS.decodes == before + 1
    assert whole.pixels_for((16, 10)).shape == whole.pixels.shape == (20, 30, 3)
    assert np.shares_memory(whole.pixels_for((8, 4)), reduced)
    assert CODEC_COUNTS.decodes == before + 2


def test_an_image_that_a_step_made_is_looked_at_as_it_is():
    assert image(FLAT).pixels_for((8, 4)).shape == (20, 30, 3)


def test_pixels_are_encoded_once():
    made = image(FLAT)
    assert made.encoded is made.encoded
    assert_array_equal(uploaded(made.encoded).pixels, FLAT)


def test_pixels_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        uploaded(encode_jpeg(FLAT)).pixels[0, 0] = 0


@pytest.mark.parametrize("pixels", [FLAT, FLAT[:, :, 0]])
def test_between_processes_an_image_keeps_all_but_pixels_and_the_text_it_came_as(pixels):
    sent = image(pixels.copy())
    sent.source_text = "aGk="
    came = pickle.loads(pickle.dumps(sent))
    assert came.encoded == sent.encoded
    assert (came.id, came.wh, came.placement, came.video) == (sent.id, sent.wh, sent.placement, sent.video)
    assert came.source_text is None
    assert_array_equal(came.pixels, pixels)


def test_between_processes_an_image_costs_what_its_bytes_cost():
    sent = uploaded(encode_jpeg(FLAT))
    before = len(pickle.dumps(sent))
    _ = sent.pixels
    assert len(pickle.dumps(sent)) == before < FLAT.nbytes


NOISE = np.random.default_rng(7).integers(0, 256, (40, 60, 3), dtype=np.uint8)


@pytest.mark.parametrize("pixels", [NOISE, NOISE[:, :, 0]])
def test_what_a_step_made_reaches_the_next_process_to_the_pixel_and_the_one_after(pixels):
    sent = image(pixels.copy())
    came = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(sent))))
    assert_array_equal(came.pixels, pixels)
    assert sent._encoded is None


def test_a_jpeg_that_was_made_of_the_pixels_travels_beside_them():
    sent = image(NOISE.copy())
    encoded = sent.encoded
    came = pickle.loads(pickle.dumps(sent))
    assert came._encoded == encoded
    assert sent.travelling_bytes == NOISE.nbytes + len(encoded)


def test_a_large_image_that_a_step_made_travels_as_a_jpeg():
    sent = image(np.zeros((700, 700, 3), dtype=np.uint8))
    assert not sent.travels_as_pixels
    assert len(pickle.dumps(sent)) < 100_000
    assert sent.travelling_bytes == len(sent.encoded)


def test_of_a_large_image_that_a_step_made_only_what_travels_is_kept():
    kept = image(np.zeros((700, 700, 3), dtype=np.uint8))
    kept.keep_what_travels()
    came = pickle.loads(pickle.dumps(kept))
    assert kept._pixels is None
    assert came.encoded == kept.encoded
    assert_array_equal(came.pixels, kept.pixels)


def test_of_an_uploaded_image_that_was_looked_at_only_the_bytes_are_kept():
    kept = uploaded(encode_jpeg(FLAT))
    _ = kept.pixels, kept.pixels_for((1, 1))
    kept.keep_what_travels()
    assert (kept._pixels, kept._reduced) == (None, None)
    assert_array_equal(kept.pixels, FLAT)


def test_a_small_image_that_a_step_made_keeps_its_pixels():
    kept = image(NOISE.copy())
    kept.keep_what_travels()
    assert kept._encoded is None
    assert_array_equal(kept.pixels, NOISE)


def test_the_size_of_an_image_is_known_without_decoding():
    sent = uploaded(encode_jpeg(FLAT))
    assert sent.size_px == FLAT.shape[0] * FLAT.shape[1]
    assert sent._pixels is None


def test_a_window_is_placed_in_its_image_and_in_the_uploaded_one():
    window = image(numbered_pixels(30, 20)).window("outer", (10, 5, 30, 20)).window("inner", (2, 3, 6, 9))
    assert window.placement.parent == Origin(id="inner", left_px=2, top_px=3, width_px=20, height_px=15)
    assert window.placement.root == Origin(id="image", left_px=12, top_px=8, width_px=30, height_px=20)
    assert window.pixels[0, 0, :2].tolist() == [12, 8]
    assert window.wh == (4, 6)


@pytest.mark.parametrize("corners", [(5, 5, 5, 9), (5, 5, 9, 5), (9, 5, 5, 9), (30, 0, 40, 10), (-5, 0, 2, 5)])
def test_a_window_without_area_is_none(corners):
    assert image(FLAT).window("w", corners) is None


def test_a_window_that_reaches_over_the_border_ends_there():
    assert image(FLAT).window("w", (25, 15, 90, 90)).wh == (5, 5)


def test_a_window_of_a_still_is_a_still_of_its_own():
    still = image(FLAT)
    assert still.window("w", (0, 0, 5, 5)).video.video_identifier == "w"
    assert still.video_of_window("w").video_identifier == "w"


def test_a_window_of_a_video_is_followed_as_a_part_of_it():
    frame = Image.from_pixels(FLAT, Placement.of_upload("image", (30, 20)), VideoMetadata.of_still("cam"))
    assert frame.video_of_window("w").video_identifier == "cam | crop: w"


def test_other_pixels_keep_identity_and_place():
    drawn = image(FLAT).with_pixels(FLAT[:, :, 0])
    assert (drawn.id, drawn.placement) == ("image", image(FLAT).placement)
    assert drawn.pixels.shape == (20, 30)
