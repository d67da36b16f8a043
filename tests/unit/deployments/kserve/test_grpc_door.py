import asyncio

import grpc
import numpy as np
import pytest

from deployments.dataplane.service import WorkflowService
from deployments.errors import OverloadedError
from deployments.ingress.key_policy import GRPC_POLICIES, PUBLIC
from deployments.kserve.generated import open_inference_pb2 as messages
from deployments.kserve.grpc_door import GrpcDoor, is_this_machine
from deployments.settings import IngressSettings
from tests.unit.deployments.fake_backend import FakeBackend, eventually
from tests.unit.deployments.storage.fake_keys import FakeKeys
from workflows.errors import DeadlineExceededError


class Context:
    """What gRPC would be told."""

    code = None
    details = None
    caller = "ipv4:127.0.0.1:50000"

    def __init__(self, **metadata):
        self.metadata = metadata

    def invocation_metadata(self):
        return tuple(self.metadata.items())

    def peer(self):
        return self.caller

    def set_code(self, code):
        self.code = code

    def set_details(self, details):
        self.details = details


class Door(GrpcDoor):
    def __init__(self, key_source=None, **settings):
        self.backend = FakeBackend()
        settings = IngressSettings(max_body_bytes=1000, **settings)
        self._service = WorkflowService(self.backend, settings, key_source=key_source)


@pytest.fixture
def door():
    return Door()


@pytest.fixture
def context():
    return Context()


def infer_request(name="plates", version="1", **fields):
    tensor = messages.ModelInferRequest.InferInputTensor(name="x", datatype="FP32", shape=[1, 2])
    raw = [np.array([1.5, 2], dtype="<f4").tobytes()]
    return messages.ModelInferRequest(
        model_name=name, model_version=version, inputs=[tensor], raw_input_contents=raw, **fields
    )


async def test_tensors_are_answered(door, context):
    answer = await door.ModelInfer(infer_request(id="7"), context)
    assert np.frombuffer(answer.raw_output_contents[0], "<f4").tolist() == [3, 4]
    assert (answer.id, context.code) == ("7", None)


async def test_the_server_says_who_it_is_and_whether_it_is_ready(door, context):
    assert (await door.ServerLive(messages.ServerLiveRequest(), context)).live
    assert (await door.ServerReady(messages.ServerReadyRequest(), context)).ready
    door.backend.is_ready = False
    assert not (await door.ServerReady(messages.ServerReadyRequest(), context)).ready
    assert (await door.ServerMetadata(messages.ServerMetadataRequest(), context)).name == "sightline"


async def test_a_model_is_ready_once_it_is_loaded(door, context):
    asked = messages.ModelReadyRequest(name="plates", version="1")
    assert not (await door.ModelReady(asked, context)).ready
    metadata = await door.ModelMetadata(messages.ModelMetadataRequest(name="plates/1"), context)
    assert [(tensor.name, list(tensor.shape)) for tensor in metadata.inputs] == [("x", [-1, 2])]
    assert (await door.ModelReady(asked, context)).ready
    index = await door.RepositoryIndex(messages.RepositoryIndexRequest(), context)
    assert [(model.name, model.version, model.state) for model in index.models] == [("plates", "1", "READY")]


async def test_the_configuration_has_the_types_of_triton(door, context):
    config = (await door.ModelConfig(messages.ModelConfigRequest(name="plates", version="1"), context)).config
    assert config.max_batch_size == 4
    assert (config.input[0].data_type, list(config.input[0].dims)) == (messages.TYPE_FP32, [2])


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OverloadedError("full"), grpc.StatusCode.UNAVAILABLE),
        (DeadlineExceededError("late"), grpc.StatusCode.DEADLINE_EXCEEDED),
        (RuntimeError("secret"), grpc.StatusCode.INTERNAL),
    ],
)
async def test_errors_become_codes(door, context, error, code):
    door.backend.error = error
    answer = await door.ModelInfer(infer_request(), context)
    assert context.code is code
    assert context.details == ("Internal error." if code is grpc.StatusCode.INTERNAL else str(error))
    assert answer == messages.ModelInferResponse()


async def test_a_model_that_is_not_there_is_not_found(door, context):
    await door.ModelMetadata(messages.ModelMetadataRequest(name="nope"), context)
    assert context.code is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("name", ["plates", "my-plates"])
async def test_the_version_is_the_servers_choice_where_none_is_asked_for(door, context, name):
    asked = messages.ModelReadyRequest(name=name)
    assert not (await door.ModelReady(asked, context)).ready
    assert (await door.ModelInfer(infer_request(name, ""), context)).model_version == "1"
    assert (await door.ModelReady(asked, context)).ready
    assert (await door.ModelMetadata(messages.ModelMetadataRequest(name=name), context)).versions == ["1"]
    assert (await door.ModelConfig(messages.ModelConfigRequest(name=name), context)).config.name == name
    assert context.code is None


async def test_a_model_that_is_not_there_cannot_become_ready(door, context):
    await door.ModelReady(messages.ModelReadyRequest(name="nope"), context)
    assert context.code is grpc.StatusCode.NOT_FOUND


async def test_a_message_that_is_too_large_is_refused(door, context):
    await door.ModelInfer(infer_request(id="x" * 2000), context)
    assert context.code is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_the_timeout_of_the_protocol_ends_the_work(door, context):
    door.backend.wait_s = 5
    timeout = {"timeout": messages.InferParameter(int64_param=20_000)}
    await door.ModelInfer(infer_request(parameters=timeout), context)
    assert context.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert door.backend.cancelled == 1


async def test_a_client_that_hangs_up_cancels_its_work(door, context):
    door.backend.wait_s = 5
    call = asyncio.create_task(door.ModelInfer(infer_request(), context))
    await asyncio.sleep(0.05)
    call.cancel()
    await eventually(lambda: door.backend.cancelled == 1)


REQUESTS = {
    "ModelInfer": infer_request(),
    "ModelReady": messages.ModelReadyRequest(name="plates", version="1"),
    "ModelMetadata": messages.ModelMetadataRequest(name="plates", version="1"),
    "ModelConfig": messages.ModelConfigRequest(name="plates", version="1"),
    "RepositoryIndex": messages.RepositoryIndexRequest(),
}


@pytest.fixture
def keys():
    return FakeKeys()


@pytest.fixture
def guarded(keys):
    return Door(key_source=lambda: keys, require_keys=True, keys_workspace="acme")


def test_what_is_tried_is_all_that_needs_a_key():
    assert REQUESTS.keys() == {call for call, scope in GRPC_POLICIES.items() if scope is not PUBLIC}


@pytest.mark.parametrize("call", REQUESTS)
async def test_a_call_needs_a_key_of_the_workspace(guarded, keys, call):
    good = Context(authorization=f"Bearer {keys.make()}")
    await getattr(guarded, call)(REQUESTS[call], good)
    assert good.code is None
    wrong = {"authorization": f"Bearer {keys.make(workspace='bolts')}"}
    for metadata in ({}, {"authorization": "Bearer None"}, {"authorization": keys.make()}, wrong):
        context = Context(**metadata)
        await getattr(guarded, call)(REQUESTS[call], context)
        assert (context.code, context.details) == (grpc.StatusCode.UNAUTHENTICATED, "Unauthorized api_key")
    assert guarded.backend.questions == [] or call == "ModelInfer"


async def test_whether_the_server_lives_needs_no_key(guarded, context):
    await guarded.ServerLive(messages.ServerLiveRequest(), context)
    await guarded.ServerReady(messages.ServerReadyRequest(), context)
    await guarded.ServerMetadata(messages.ServerMetadataRequest(), context)
    assert context.code is None


async def test_keys_that_cannot_be_looked_at_are_said_to_be_away(guarded, keys):
    keys.away = True
    context = Context(authorization=f"Bearer {keys.make()}")
    await guarded.RepositoryIndex(REQUESTS["RepositoryIndex"], context)
    assert context.code == grpc.StatusCode.UNAVAILABLE
    assert "secret" not in context.details


@pytest.mark.parametrize(
    ("peer", "here"),
    [
        ("ipv4:127.0.0.1:50000", True),
        ("ipv4:127.8.0.1:1", True),
        ("ipv6:[::1]:50000", True),
        ("ipv6:%5B::1%5D:50000", True),
        ("ipv6:[::ffff:127.0.0.1]:50000", True),
        ("unix:", True),
        ("ipv4:192.0.2.7:50000", False),
        ("ipv6:[2001:db8::7]:50000", False),
        ("ipv6:[::ffff:192.0.2.7]:50000", False),
        ("127.0.0.1", False),
        ("", False),
    ],
)
def test_this_machine_is_known_by_its_addresses(peer, here):
    assert is_this_machine(peer) is here


async def test_a_server_without_keys_answers_no_other_machine_where_it_is_told_so():
    door, context = Door(grpc_from_this_machine=True), Context()
    await door.RepositoryIndex(REQUESTS["RepositoryIndex"], context)
    assert context.code is None
    context.caller = "ipv4:192.0.2.7:50000"
    await door.RepositoryIndex(REQUESTS["RepositoryIndex"], context)
    assert context.code == grpc.StatusCode.UNAUTHENTICATED
