"""Our messages against those of NVIDIA's client, which hold the protocol's own descriptions."""

import pytest
from tritonclient.grpc import model_config_pb2, service_pb2

from deployments.kserve.generated import open_inference_pb2
from deployments.kserve.grpc_service import REQUESTS, SERVICE

THEIRS = {**service_pb2.DESCRIPTOR.message_types_by_name, **model_config_pb2.DESCRIPTOR.message_types_by_name}
OURS = open_inference_pb2.DESCRIPTOR.message_types_by_name


def fields(message):
    """Name -> number, type, whether it repeats, and the fields of what lies in it."""
    return {
        field.name: (field.number, field.type, field.is_repeated, field.message_type and fields(field.message_type))
        for field in message.fields
    }


def assert_agree(ours, theirs):
    for name, (number, kind, repeated, inner) in ours.items():
        assert theirs[name][:3] == (number, kind, repeated)
        if inner:
            assert_agree(inner, theirs[name][3])


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_field_has_the_number_and_the_type_of_the_protocol(name):
    assert_agree(fields(OURS[name]), fields(THEIRS[name]))


def test_element_types_of_the_configuration_have_the_numbers_of_the_protocol():
    theirs = {value.name: value.number for value in model_config_pb2.DESCRIPTOR.enum_types_by_name["DataType"].values}
    ours = {value.name: value.number for value in open_inference_pb2.DESCRIPTOR.enum_types_by_name["DataType"].values}
    assert ours.items() <= theirs.items()


def test_every_call_is_one_of_the_protocol_and_takes_its_request():
    service = service_pb2.DESCRIPTOR.services_by_name["GRPCInferenceService"]
    assert service.full_name == SERVICE
    for name, request in REQUESTS.items():
        assert service.methods_by_name[name].input_type.name == request.DESCRIPTOR.name
