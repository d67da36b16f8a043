"""The whole pipeline in one plain uvicorn process: the most that this machine can do with these models.

    python -m load_tests.baselines.one_process --port 9100

No Ray, no workflow engine, no queue: each request is one call in one of as many threads as there are cores, each with
networks of its own that run in that one thread. A photograph is decoded once, crops are pixels. `GET /healthz` shows
what uvicorn alone costs.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

import orjson
import pybase64
import uvicorn

from deployments.dataplane.sample import sample_request
from deployments.models.detection.scored_boxes import ScoredBoxes
from load_tests.baselines.plate_pipeline import cut_plates, load_plate_detector, load_plate_reader, plate_answer
from workflows.ports import PredictionOptions
from workflows.values.image_codec import decode_pixels

JSON_HEADERS = [(b"content-type", b"application/json")]


class Pipeline:
    """Networks of one thread."""

    def __init__(self) -> None:
        self._detector = load_plate_detector()
        self._reader = load_plate_reader()

    def answer(self, body: bytes) -> bytes:
        """JSON for the JSON of a request: what `sample_request` gives."""
        image = orjson.loads(body)["inputs"]["image"]["value"]
        return orjson.dumps(self.read_plates(pybase64.b64decode(image)))

    def read_plates(self, encoded: bytes) -> dict[str, Any]:
        """Plates and texts of an encoded photograph."""
        pixels = decode_pixels(encoded)
        (found,) = self._detector.predict_batch([pixels], [PredictionOptions()]).predictions
        assert isinstance(found, ScoredBoxes)  # what a detector gives
        crops = cut_plates(pixels, found.xyxy)
        pages = self._reader.read_batch(crops).pages if crops else []
        return plate_answer(found, [page.text for page in pages])


class OneProcess:
    """The application, by the ASGI specification: a framework would be one more thing to measure."""

    def __init__(self, threads: int) -> None:
        """Load the networks of each thread, and let each answer once."""
        self._own = threading.local()
        started = threading.Barrier(threads + 1)  # else one thread might start twice, and another never

        def start() -> None:
            self._own.pipeline = Pipeline()
            self._own.pipeline.answer(orjson.dumps(sample_request()))
            started.wait()

        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="pipeline", initializer=start)
        for _ in range(threads):
            self._threads.submit(int)
        started.wait()

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        """Answer one request, or the start and end of the server."""
        if scope["type"] == "lifespan":
            return
        if scope["path"] == "/healthz":
            await _send(send, HTTPStatus.OK, b'{"status":"healthy"}')
            return
        if scope["path"] != "/workflows/run":
            await _send(send, HTTPStatus.NOT_FOUND, b"{}")
            return
        body = await _read(receive)
        answer = await asyncio.get_running_loop().run_in_executor(self._threads, self._answer, body)
        await _send(send, HTTPStatus.OK, answer)

    def _answer(self, body: bytes) -> bytes:
        pipeline: Pipeline = self._own.pipeline
        return pipeline.answer(body)


async def _read(receive: Any) -> bytes:
    parts = []
    more = True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


async def _send(send: Any, status: HTTPStatus, body: bytes) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*JSON_HEADERS, length]})
    await send({"type": "http.response.body", "body": body})


def main() -> None:
    """Serve until interrupted; says `ready` when everything is warm."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    app = OneProcess(arguments.threads)
    gc.collect()
    gc.freeze()
    print("warm", flush=True)
    uvicorn.run(app, host="127.0.0.1", port=arguments.port, access_log=False, log_level="warning", lifespan="off")


if __name__ == "__main__":
    main()
