import pytest

JSON = {"Content-Type": "application/json"}


async def test_the_body_is_bare_base64_whatever_its_type_says(client, image):
    answer = await client.post(
        "/plates/1?api_key=k&disable_active_learning=False", content=image["value"].encode(), headers=JSON
    )
    assert answer.status_code == 200
    assert list(answer.json()) == ["inference_id", "time", "image", "predictions"]


async def test_an_image_may_be_a_file_of_a_form(client, png):
    answer = await client.post("/plates/1", files={"file": ("a.png", png, "image/png")})
    assert answer.status_code == 200
    assert answer.json()["image"] == {"width": 10, "height": 5}


async def test_other_files_of_the_form_are_left_alone(client, png):
    answer = await client.post("/plates/1", files={"other": ("b.txt", b"x"), "file": ("a.png", png, "image/png")})
    assert answer.status_code == 200
    assert answer.json()["image"] == {"width": 10, "height": 5}


async def test_a_form_without_the_file_is_refused(client):
    answer = await client.post("/plates/1", files={"other": ("a.png", b"x", "image/png")})
    assert answer.status_code == 400
    assert "`file`" in answer.json()["message"]


@pytest.mark.parametrize(
    ("sent", "meant"), [("50", 0.5), ("0.5", 0.5), ("1", 0.01), ("100", 1.0), ("0", 0.01), ("best", "best")]
)
async def test_a_confidence_from_one_on_is_per_cent(client, image, backend, sent, meant):
    await client.post(f"/plates/1?confidence={sent}", content=image["value"].encode(), headers=JSON)
    assert backend.options[0].confidence == meant


async def test_overlap_is_the_threshold_of_suppression(client, image, backend):
    await client.post("/plates/1?overlap=45", content=image["value"].encode(), headers=JSON)
    assert backend.options[0].iou_threshold == 0.45


@pytest.mark.parametrize(("limit", "status"), [("1", 200), ("0", 422), ("-1", 422)])
async def test_a_limit_below_one_box_is_refused(client, image, limit, status):
    answer = await client.post(f"/plates/1?max_detections={limit}", content=image["value"].encode(), headers=JSON)
    assert answer.status_code == status


async def test_the_answer_may_be_a_picture(client, image):
    answer = await client.post("/plates/1?format=image&labels=True", content=image["value"].encode(), headers=JSON)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.content.startswith(b"\xff\xd8\xff")


async def test_an_unknown_format_is_json(client, image):
    answer = await client.post("/plates/1?format=nope", content=image["value"].encode(), headers=JSON)
    assert answer.headers["content-type"] == "application/json"


async def test_the_answer_may_be_both(client, image):
    answer = await client.post("/plates/1?format=image_and_json", content=image["value"].encode(), headers=JSON)
    assert "visualization" in answer.json()


async def test_a_body_without_a_type_is_refused(client, image):
    answer = await client.post("/plates/1", content=image["value"].encode())
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Content-Type header not provided with request.")


@pytest.mark.parametrize(("method", "path"), [("GET", "/workflows/run"), ("POST", "/infer/lmm")])
async def test_whoever_meant_another_route_learns_what_the_path_was_taken_for(client, method, path):
    sent = {} if method == "GET" else {"json": {"model_id": "plates/1"}}
    answer = await client.request(method, path, **sent)
    assert answer.status_code == 400
    told = f"{method} {path} is no route here and was taken as a call of the model '{path[1:]}'"
    assert told in answer.json()["message"]


async def test_whoever_meant_a_model_is_not_told_so(client):
    answer = await client.post("/plates/1", content=b"zzz", headers=JSON)
    assert answer.status_code == 400
    assert "taken as" not in answer.json()["message"]


async def test_paths_of_two_segments_that_nothing_else_takes_are_model_ids(client, image):
    answer = await client.post("/easy_ocr/ocr", content=image["value"].encode(), headers=JSON)
    assert answer.status_code == 404
    assert answer.headers["x-model-id"] == "easy_ocr/ocr"


async def test_an_image_by_address_must_be_https(client):
    answer = await client.get("/plates/1?image=http://example.com/a.png")
    assert answer.status_code == 400
