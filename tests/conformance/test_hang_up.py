"""A client that cuts its connection, for real."""

import json
import socket
import threading
import time

import pytest
import uvicorn

from deployments.dataplane.service import WorkflowService
from deployments.ingress.app import create_app
from deployments.settings import IngressSettings
from tests.unit.deployments.fake_backend import FakeBackend
from tests.unit.deployments.ingress.conftest import SPECIFICATION

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYGAAAAAEAAH2FzhVAAAAAElFTkSuQmCC"


def until(condition, within_s=10.0):
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)


@pytest.fixture
def backend():
    backend = FakeBackend()
    backend.wait_s = 60
    return backend


@pytest.fixture
def port(backend):
    service = WorkflowService(backend, IngressSettings())
    server = uvicorn.Server(uvicorn.Config(create_app(lambda: service), port=0, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(timeout=20)


def test_a_cut_connection_cancels_the_work(port, backend):
    body = json.dumps({"specification": SPECIFICATION, "inputs": {"image": PIXEL}}).encode()
    head = f"POST /workflows/run HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(head + body)
        until(lambda: backend.options)
        assert backend.cancelled == 0
    until(lambda: backend.cancelled == 1)
