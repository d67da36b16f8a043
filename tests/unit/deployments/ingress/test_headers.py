import json

import pytest

from deployments.dataplane.backend import ModelLoad, Timing, Work
from deployments.ingress.headers import request_id_of, server_timing, standing_headers


def timing(step, queue_ms=0.0, transfer_ms=0.0, compute_ms=0.0):
    return Timing(step=step, queue_ms=queue_ms, transfer_ms=transfer_ms, compute_ms=compute_ms)


def test_a_step_in_pieces_took_as_long_as_its_longest_piece():
    told = server_timing([timing("ocr", 1, 20, 3), timing("detector", 0.1, 0.9, 21), timing("ocr", 10, 2, 30)])
    assert told == (
        "ocr.queue;dur=10.0, ocr.transfer;dur=20.0, ocr.compute;dur=30.0, "
        "detector.queue;dur=0.1, detector.transfer;dur=0.9, detector.compute;dur=21.0"
    )


def test_a_step_name_cannot_break_the_header():
    assert server_timing([timing("a b;c\r\nX: y")]).startswith("a_b_c__X__y.queue;dur=0.0")


def test_steps_that_find_no_room_in_the_header_are_left_out_whole():
    told = server_timing([timing("first"), timing("x" * 5000), *(timing(f"step_{n}") for n in range(200))])
    assert len(told) <= 4096
    assert told.startswith("first.queue;dur=0.0, first.transfer;dur=0.0, first.compute;dur=0.0, step_0.queue")
    assert told.count(".queue;") == told.count(".compute;")


def test_no_timings_give_an_empty_text():
    assert server_timing([]) == ""


def test_a_request_without_work_has_the_standing_headers_only():
    headers = standing_headers("id", None, None, 0.5)
    assert headers == {
        "X-Request-ID": "id",
        "x-inference-engine": "inference-models",
        "X-Model-Cold-Start": "false",
        "X-Model-Cold-Start-Count": "0",
        "X-Processing-Time": "0.500000",
    }


def test_a_loaded_model_makes_a_cold_start():
    work = Work(request_id="id", deadline_unix_s=0)
    work.model_ids |= {"b/1", "a/1"}
    work.model_loads.append(ModelLoad(model_id="a/1", seconds=0.25))
    headers = standing_headers("id", work, "plates", 0)
    assert headers["X-Model-Cold-Start"] == "true"
    assert headers["X-Model-Cold-Start-Count"] == "1"
    assert headers["X-Model-Load-Time"] == "0.25"
    assert json.loads(headers["X-Model-Load-Details"]) == [{"m": "a/1", "t": 0.25}]
    assert headers["X-Model-Id"] == "a/1,b/1"
    assert headers["X-Workflow-Id"] == "plates"
    assert "Server-Timing" not in headers


def test_load_details_that_are_too_long_are_left_out():
    work = Work(request_id="id", deadline_unix_s=0)
    work.model_loads += [ModelLoad(model_id="m" * 100, seconds=1.0)] * 50
    headers = standing_headers("id", work, None, 0)
    assert "X-Model-Load-Details" not in headers
    assert headers["X-Model-Load-Time"] == "50.0"


def test_a_model_id_cannot_break_the_header():
    work = Work(request_id="id", deadline_unix_s=0)
    work.model_ids.add("a\r\nX-Evil: 1/2\u00e9")
    assert standing_headers("id", work, None, 0)["X-Model-Id"] == "a??X-Evil: 1/2?"


def test_names_that_are_too_long_are_cut():
    work = Work(request_id="id", deadline_unix_s=0)
    work.model_ids.add("m" * 5000)
    headers = standing_headers("id", work, "w" * 5000, 0)
    assert (headers["X-Model-Id"], headers["X-Workflow-Id"]) == ("m" * 1024, "w" * 1024)


@pytest.mark.parametrize("sent", [None, "", "a b", "x" * 129, "a\tb", "\u00e9"])
def test_a_request_id_that_cannot_be_echoed_is_replaced(sent):
    assert len(request_id_of(sent)) == 32


def test_a_request_id_is_echoed():
    assert request_id_of("abc-1") == "abc-1"
