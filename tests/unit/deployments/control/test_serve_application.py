"""The Serve application of an endpoint."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from deployments.control.machine_types import read_machine_types
from deployments.control.serve_application import application_config, asks_for_keys

DEPLOYMENTS = [{"name": "WorkflowRouter"}, {"name": "ObjectDetector"}]


def config(template_args, args):
    spec = SimpleNamespace(
        name="gates",
        revision="0123abcd",
        workspace="acme",
        min_replicas=1,
        max_replicas=2,
        machine_type=read_machine_types(None).named("dev-cpu"),
    )
    return application_config(spec, {"args": template_args, "deployments": DEPLOYMENTS}, args)


@pytest.mark.parametrize("args", [{}, {"ingress": {}}, {"ingress": {"require_keys": False, "max_images": 3}}])
def test_an_endpoint_asks_for_keys_of_its_owner_whatever_was_laid_over_the_cluster_s(args):
    made = config({"ingress": {"require_keys": True}}, args)
    assert asks_for_keys(made)
    assert made["args"]["ingress"]["keys_workspace"] == "acme"
    assert made["args"]["ingress"].get("max_images") == args.get("ingress", {}).get("max_images")


@pytest.mark.parametrize("template_args", [None, {}, {"ingress": None}, {"ingress": {"require_keys": False}}])
def test_where_the_cluster_asks_for_none_an_endpoint_does_not_either(template_args):
    made = config(template_args, {"engine": {}})
    assert not asks_for_keys(made)
    assert made["args"] == {"engine": {}}


@pytest.mark.parametrize("args", [{}, {"ingress": {"grpc_from_this_machine": False}}])
def test_an_endpoint_of_an_open_server_answers_grpc_to_this_machine_alone_too(args):
    assert config({"ingress": {"grpc_from_this_machine": True}}, args)["args"]["ingress"] == {
        "grpc_from_this_machine": True
    }
