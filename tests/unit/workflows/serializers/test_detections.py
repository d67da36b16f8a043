from __future__ import annotations

import uuid

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tests.unit.workflows.builders import detections
from workflows.errors import RuntimeInputError
from workflows.serializers.detections import masks_may_take_long, read_detections, write_detections
from workflows.serializers.mask_room import MaskRoom
from workflows.values.detections import KeyPoints
from workflows.values.origin import Origin, Placement

ONE = {"x": 100, "y": 80, "width": 40, "height": 20, "confidence": 0.9, "class": "a", "class_id": 0}


def sent(*rows, width=320, height=240):
    return {"image": {"width": width, "height": height}, "predictions": list(rows)}


def row(**changes):
    return {**ONE, "detection_id": "d-1", **changes}


def test_a_detection_is_centre_and_size():
    written = write_detections(detections([80, 70, 120, 90]))
    assert written == {
        "image": {"width": 320, "height": 240},
        "predictions": [
            {
                "width": 40.0,
                "height": 20.0,
                "x": 100.0,
                "y": 80.0,
                "confidence": 0.5,
                "class_id": 0,
                "class": "plate",
                "detection_id": "d-0",
                "parent_id": "image",
            }
        ],
    }


def test_no_detections_keep_the_size_of_their_image():
    assert write_detections(detections()) == {"image": {"width": 320, "height": 240}, "predictions": []}


def test_an_image_that_is_not_known_has_null_sides():
    written = write_detections(detections(image_wh=None))
    assert written["image"] == {"width": None, "height": None}


def test_detections_without_parents_have_no_parent_keys():
    written = write_detections(detections([0, 0, 2, 2], parent_id=None, image_wh=None))["predictions"][0]
    assert not {key for key in written if "parent" in key}


def test_a_parent_that_is_not_the_root_says_where_it_lies():
    place = Placement(
        parent=Origin(id="crop", left_px=10, top_px=20, width_px=320, height_px=240),
        root=Origin(id="image", left_px=110, top_px=120, width_px=800, height_px=600),
    )
    crop = np.array(["crop"], dtype=np.str_)
    written = write_detections(detections([0, 0, 2, 2], placement=place, parent_id=crop))["predictions"][0]
    assert written["parent_id"] == "crop"
    assert written["parent_origin"] == {"offset_x": 10, "offset_y": 20, "width": 320, "height": 240}
    assert written["root_parent_id"] == "image"
    assert written["root_parent_origin"] == {"offset_x": 110, "offset_y": 120, "width": 800, "height": 600}


def test_reading_undoes_centre_and_size():
    assert_array_equal(read_detections(sent(row()), "preds").xyxy, [[80, 70, 120, 90]])


def test_an_echo_differs_in_nothing_but_the_root():
    given = sent(row(parent_id="image"), row(detection_id="d-2", x=228.5, confidence=0.75, parent_id="image"))
    written = write_detections(read_detections(given, "preds.[0]"))
    for prediction in written["predictions"]:
        assert prediction.pop("root_parent_id") == "preds.[0]"
    assert written == given


def test_detections_belong_to_their_input_element_unless_they_say_otherwise():
    written = write_detections(read_detections(sent(row()), "preds"))["predictions"][0]
    assert written["parent_id"] == "preds"
    assert not {"root_parent_id", "parent_origin", "root_parent_origin"} & set(written)


def test_a_missing_detection_id_is_made_up():
    found = read_detections(sent(ONE, ONE), "preds")
    first, second = found.detection_id.tolist()
    assert first != second
    assert str(uuid.UUID(first)) == first


def test_places_that_a_client_sends_are_kept():
    place = {
        "parent_id": "pp",
        "parent_origin": {"offset_x": 5, "offset_y": 6, "width": 320, "height": 240},
        "root_parent_id": "rr",
        "root_parent_origin": {"offset_x": 10, "offset_y": 12, "width": 640, "height": 480},
    }
    written = write_detections(read_detections(sent(row(**place)), "preds"))["predictions"][0]
    assert {key: written[key] for key in place} == place


def test_a_place_in_the_root_is_enough():
    root = {"root_parent_id": "rr", "root_parent_origin": {"offset_x": 10, "offset_y": 12, "width": 640, "height": 480}}
    found = read_detections(sent(row(**root)), "preds")
    assert (found.placement.parent.id, found.placement.root.id) == ("preds", "rr")
    assert (found.placement.root.left_px, found.placement.root.top_px) == (10, 12)


def test_what_a_code_says_is_kept():
    written = write_detections(read_detections(sent(row(data="q"), row(data="")), "codes"))["predictions"]
    assert [prediction["data"] for prediction in written] == ["q", ""]


def test_times_in_a_zone_are_kept():
    written = write_detections(read_detections(sent(row(time_in_zone=1.5), row(time_in_zone=0)), "preds"))
    assert [prediction["time_in_zone"] for prediction in written["predictions"]] == [1.5, 0.0]


@pytest.mark.parametrize("key", ["data", "time_in_zone"])
def test_what_was_not_measured_has_no_key(key):
    assert key not in write_detections(detections([0, 0, 2, 2]))["predictions"][0]


@pytest.mark.parametrize("measured", [{"data": "q"}, {"time_in_zone": 1.5}])
def test_a_value_that_only_some_detections_have_is_refused(measured):
    with pytest.raises(RuntimeInputError, match="1 of 2 predictions"):
        read_detections(sent(row(), row(**measured)), "preds")


def test_a_root_without_origins_is_kept():
    found = read_detections(sent(row(parent_id="pp", root_parent_id="rr")), "preds")
    written = write_detections(found)["predictions"][0]
    assert (written["parent_id"], written["root_parent_id"]) == ("pp", "rr")
    assert "parent_origin" not in written


def test_tracks_are_kept_when_every_detection_has_one():
    found = write_detections(read_detections(sent(row(tracker_id=7), row(tracker_id=8)), "preds"))
    assert [prediction["tracker_id"] for prediction in found["predictions"]] == [7, 8]


def test_a_track_of_one_detection_only_is_dropped():
    found = write_detections(read_detections(sent(row(tracker_id=7), row()), "preds"))
    assert all("tracker_id" not in prediction for prediction in found["predictions"])


def test_numbers_for_classes_become_text_and_text_for_class_ids_becomes_a_number():
    found = read_detections(sent(row(**{"class": 5, "class_id": "7"})), "preds")
    assert (found.class_name.tolist(), found.class_id.tolist()) == (["5"], [7])


def test_an_outline_becomes_a_mask_and_an_outline_again():
    points = [{"x": x, "y": y} for x, y in ((40.0, 40.0), (40.0, 60.0), (80.0, 60.0), (80.0, 40.0))]
    found = read_detections(sent(row(points=points)), "segs")
    assert found.masks.image_wh == (320, 240)
    assert found.masks.areas_px().tolist() == [41 * 21]
    assert write_detections(found)["predictions"][0]["points"] == points


def test_outlines_stand_in_front_of_the_class():
    points = [{"x": 1, "y": 1}, {"x": 9, "y": 1}, {"x": 9, "y": 9}]
    written = write_detections(read_detections(sent(row(points=points)), "segs"))["predictions"][0]
    assert list(written)[4:8] == ["confidence", "class_id", "points", "class"]


def test_run_lengths_are_read_and_written():
    mask = {"size": [2, 3], "counts": "231"}
    found = read_detections(sent(row(rle_mask=mask), width=3, height=2), "segs")
    assert_array_equal(found.masks.array(0), [[False, True, True], [False, True, False]])
    assert write_detections(found, run_lengths=True)["predictions"][0]["rle_mask"] == mask


def test_a_detection_whose_mask_has_no_pixels_is_written_with_run_lengths_alone():
    masks = np.zeros((2, 240, 320), dtype=np.bool_)
    masks[1, 2:5, 2:5] = True
    found = detections([0, 0, 2, 2], [2, 2, 5, 5], masks=masks)
    written = write_detections(found)
    assert [prediction["detection_id"] for prediction in written["predictions"]] == ["d-1"]
    assert written["image"] == {"width": 320, "height": 240}
    assert len(write_detections(found, run_lengths=True)["predictions"]) == 2


@pytest.mark.parametrize("points", [[], [{"x": 1, "y": 1}, {"x": 5, "y": 5}]])
def test_a_detection_with_an_outline_of_less_than_three_corners_is_left_out(points):
    read = read_detections(sent(row(points=points), row(**{"class": "kept"}, points=TRIANGLE)), "segs")
    assert read.class_name.tolist() == ["kept"]
    assert len(read_detections(sent(row(points=points)), "segs")) == 0


def test_run_lengths_stand_for_an_outline_of_less_than_three_corners():
    read = read_detections(sent(row(points=[], rle_mask=TWO_COLUMNS), width=3, height=2), "segs")
    assert read.masks.areas_px().tolist() == [3]


def test_masks_are_dropped_unless_every_detection_has_one():
    read = read_detections(sent(row(points=TRIANGLE), row()), "segs")
    assert (len(read), read.masks) == (2, None)


def test_key_points_of_unequal_number_are_read_and_written():
    nose = {"class_id": 0, "class": "nose", "confidence": 0.5, "x": 1.0, "y": 2.0}
    tail = {"class_id": 1, "class": "tail", "confidence": 0.25, "x": 3.0, "y": 4.0}
    written = write_detections(read_detections(sent(row(keypoints=[nose, tail]), row(keypoints=[nose])), "kp"))
    assert [prediction["keypoints"] for prediction in written["predictions"]] == [[nose, tail], [nose]]


def test_an_empty_list_of_key_points_stays_one():
    read = read_detections(sent(row(keypoints=[]), row(keypoints=[])), "kp")
    assert [prediction["keypoints"] for prediction in write_detections(read)["predictions"]] == [[], []]


def test_detections_without_key_points_have_no_such_key():
    none = KeyPoints(
        xy=np.zeros((1, 0, 2)),
        confidence=np.zeros((1, 0)),
        class_id=np.zeros((1, 0), dtype=np.int64),
        class_name=np.zeros((1, 0), dtype=np.str_),
    )
    assert "keypoints" not in write_detections(detections([0, 0, 2, 2]))["predictions"][0]
    assert write_detections(detections([0, 0, 2, 2], keypoints=none))["predictions"][0]["keypoints"] == []


def test_no_predictions_of_an_unknown_image_are_read():
    found = read_detections(sent(width=None, height=None), "preds")
    assert (len(found), found.image_wh) == (0, None)


@pytest.mark.parametrize("key", sorted(ONE))
def test_a_missing_key_is_named(key):
    incomplete = {name: value for name, value in ONE.items() if name != key}
    with pytest.raises(RuntimeInputError, match=rf"`preds\.\[1\]`.*predictions\.0\.{key}"):
        read_detections(sent(incomplete), "preds.[1]")


@pytest.mark.parametrize(
    "value",
    [
        "x",
        None,
        [row()],
        {"predictions": []},
        {"image": None, "predictions": []},
        {"image": {"width": 3, "height": 2}},
        sent(row(x="100")),
        sent(row(class_id="seven")),
        sent(row(), width=None),
        sent(row(rle_mask={"size": [3, 2], "counts": "231"}), width=3, height=2),
        sent(row(rle_mask={"size": [2, 3], "counts": "9"}), width=3, height=2),
    ],
)
def test_what_holds_no_detections_is_refused(value):
    with pytest.raises(RuntimeInputError, match="`preds` holds no detections"):
        read_detections(value, "preds")


def test_unknown_keys_are_ignored():
    assert len(read_detections(sent(row(colour="red")), "preds")) == 1


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"class_id": 2**63}, "class_id"),
        ({"tracker_id": -(2**63) - 1}, "tracker_id"),
        ({"x": float("nan")}, "x"),
        ({"y": float("inf")}, "y"),
        ({"width": 1e10}, "width"),
        ({"class": "a" * 513}, "class"),
        ({"detection_id": "a" * 513}, "detection_id"),
        ({"points": [{"x": 1e18, "y": 0}]}, "points"),
        (
            {"root_parent_origin": {"offset_x": 0, "offset_y": 0, "width": 2**31, "height": 1}},
            "root_parent_origin.width",
        ),
    ],
)
def test_what_no_column_can_hold_is_refused_and_named(changes, place):
    with pytest.raises(RuntimeInputError, match=f"predictions.0.{place}"):
        read_detections(sent(row(**changes)), "preds")


def test_the_largest_whole_numbers_are_kept():
    read = read_detections(sent(row(class_id=2**63 - 1, tracker_id=-(2**63))), "preds")
    assert (read.class_id[0], read.tracker_id[0]) == (2**63 - 1, -(2**63))


def test_too_many_detections_are_refused():
    with pytest.raises(RuntimeInputError, match="at most 10000"):
        read_detections(sent(*[ONE] * 10_001), "preds")


TRIANGLE = [{"x": 0, "y": 0}, {"x": 4, "y": 0}, {"x": 0, "y": 4}]


@pytest.mark.parametrize("wh", [(2**31 - 1, 2**31 - 1), (20_000, 20_000)])
def test_masks_that_would_fill_the_memory_are_refused(wh):
    with pytest.raises(RuntimeInputError, match="are more than the 268435456 pixels accepted"):
        read_detections(sent(row(points=TRIANGLE), width=wh[0], height=wh[1]), "preds")


def test_masks_that_would_fill_the_memory_on_the_root_are_refused():
    origin = {"offset_x": 0, "offset_y": 0, "width": 100_000, "height": 100_000}
    placed = row(points=TRIANGLE, root_parent_id="root", root_parent_origin=origin)
    with pytest.raises(RuntimeInputError, match="masks of 100000x100000 pixels"):
        read_detections(sent(placed), "preds")


@pytest.mark.parametrize("wh", [(0, 240), (320, -1)])
def test_masks_on_an_image_without_pixels_are_refused(wh):
    with pytest.raises(RuntimeInputError, match="masks need an image with pixels"):
        read_detections(sent(row(points=TRIANGLE), width=wh[0], height=wh[1]), "preds")


SQUARE = [{"x": x, "y": y} for x, y in ((2, 3), (5, 3), (5, 6), (2, 6))]
TWO_COLUMNS = {"size": [2, 3], "counts": "231"}


@pytest.mark.parametrize(
    ("mask", "width", "height", "pixels"),
    [({"points": SQUARE}, 320, 240, 16), ({"rle_mask": TWO_COLUMNS}, 3, 2, 4), ({"points": SQUARE}, 2, 3, 0)],
)
def test_of_an_image_only_the_part_that_holds_a_mask_is_computed(mask, width, height, pixels):
    room = MaskRoom(3 * pixels)
    read_detections(sent(*[row(**mask)] * 3, width=width, height=height), "preds", room)
    if pixels:
        with pytest.raises(RuntimeInputError, match=f"more than the {3 * pixels} pixels accepted"):
            read_detections(sent(row(**mask), width=width, height=height), "preds", room)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (sent(row(points=SQUARE), width=4096, height=4096), False),
        (sent(row(points=SQUARE), width=4096, height=4097), True),
        (sent(row(points=SQUARE), width="4096", height=4097.0), True),
        (sent(row(rle_mask=TWO_COLUMNS), row(points=SQUARE), width=4096, height=4096), True),
        (sent(row(), row(points=[]), width=16_384, height=16_384), False),
        (sent(row(points=SQUARE), width=None, height=None), False),
        ({"image": {"width": float("inf"), "height": 1}, "predictions": [row(points=SQUARE)]}, False),
        ({"image": 5, "predictions": [None]}, False),
        ("picture", False),
    ],
)
def test_masks_on_large_images_may_take_long(value, expected):
    assert masks_may_take_long(value) == expected


def test_one_detection_with_very_many_key_points_beside_many_others_is_refused():
    rows = [row(keypoints=[{"x": 1, "y": 1, "class": "n"}] * 1001), *[ONE] * 999]
    with pytest.raises(RuntimeInputError, match="1000 detections with up to 1001 key points"):
        read_detections(sent(*rows), "preds")


def test_a_long_class_of_one_key_point_among_very_many_is_refused():
    points = [{"x": 1, "y": 1, "class": "n"}] * 400
    long = {"x": 1, "y": 1, "class": "n" * 512}
    with pytest.raises(RuntimeInputError, match="40000 classes of key points of up to 512 characters are more than"):
        read_detections(sent(row(keypoints=[*points[1:], long]), *[row(keypoints=points)] * 99), "preds")


def test_a_long_text_of_one_code_among_very_many_is_refused():
    with pytest.raises(RuntimeInputError, match="2049 values of data of up to 8192 characters are more than 16777216"):
        read_detections(sent(row(data="1" * 8192), *[row(data="1")] * 2048), "preds")


def test_long_classes_of_key_points_are_kept():
    point = {"class_id": 0, "class": "n" * 512, "confidence": 0.5, "x": 1.0, "y": 2.0}
    (written,) = write_detections(read_detections(sent(row(keypoints=[point])), "kp"))["predictions"]
    assert written["keypoints"] == [point]


def test_detections_that_came_as_json_do_not_say_what_made_them():
    assert read_detections(sent(ONE), "preds").prediction_type is None
