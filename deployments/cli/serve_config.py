"""Reading `serve_config.yaml`, and saying what is wrong with it.

Serve's own schema takes unknown keys silently, so a misspelt `num_gpu` would cost a day; keys are checked here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from deployments.errors import ServingError
from workflows.definition.nearest import suggest

FILE_NAME = "serve_config.yaml"
# No reflection: it would show the messages under the name of our own package, which no client knows.
GRPC_OPTIONS = {
    "grpc_servicer_functions": ["deployments.kserve.grpc_service.add_to_server"],
    "enable_reflection": False,
}


class ServeConfigError(ServingError):
    """The configuration cannot be served."""


def default_config_path() -> Path:
    """The file in the current folder, else the one beside the packages."""
    here = Path.cwd() / FILE_NAME
    return here if here.is_file() else Path(__file__).resolve().parents[2] / FILE_NAME


def read_serve_config(path: Path) -> dict[str, Any]:
    """The file's content, for Serve.

    Raises:
        ServeConfigError: there is no such file, or it is no YAML mapping with applications.
    """
    try:
        config = yaml.safe_load(path.read_text())
    except OSError as error:
        raise ServeConfigError(f"cannot read {path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ServeConfigError(f"{path} is no YAML: {error}") from error
    if not isinstance(config, dict) or not isinstance(config.get("applications"), list) or not config["applications"]:
        raise ServeConfigError(f"{path} must be a mapping with a list of `applications`")
    return dict(config)


def application_paths(config: Mapping[str, Any]) -> dict[str, str]:
    """Name of each application -> its path in Serve."""
    return {app["name"]: app.get("route_prefix") or "/" for app in config["applications"]}


def with_overrides(
    config: Mapping[str, Any],
    *,
    http: Mapping[str, Any],
    args: Mapping[str, Any],
    default_args: Mapping[str, Any] | None = None,
    grpc_port: int | None = None,
) -> dict[str, Any]:
    """The configuration with other HTTP options, and `args` laid over those of each application.

    Nested mappings are merged; other values are replaced.

    Args:
        config: as read.
        http: HTTP options.
        args: of every application.
        default_args: the same, where the application says nothing.
        grpc_port: where Serve takes the Open Inference Protocol over gRPC; None to leave that as it is.
    """
    changed = deepcopy(dict(config))
    if grpc_port is not None:
        changed["grpc_options"] = {**GRPC_OPTIONS, **changed.get("grpc_options", {}), "port": grpc_port}
    changed["http_options"] = {**changed.get("http_options", {}), **http}
    for application in changed["applications"]:
        application["args"] = _merged(_merged(default_args or {}, application.get("args") or {}), args)
    return changed


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        nested = merged.get(key)
        merged[key] = _merged(nested, value) if isinstance(nested, dict) and isinstance(value, dict) else value
    return merged


def check_serve_config(config: Mapping[str, Any], args_model: type[BaseModel]) -> None:
    """Refuse keys and values that Serve or the application does not know.

    Imports Ray.

    Raises:
        ServeConfigError: every problem, one a line.
    """
    from ray.serve.schema import ServeDeploySchema

    problems = list(_unknown_keys(config))
    try:
        ServeDeploySchema.model_validate(config)
    except ValidationError as error:
        problems += _lines(error, "")
    for application in config["applications"]:
        try:
            args_model.model_validate(application.get("args") or {})
        except ValidationError as error:
            problems += _lines(error, f"applications.{application.get('name')}.args.")
    if problems:
        raise ServeConfigError("the Serve configuration is wrong:\n" + "\n".join(f"  {line}" for line in problems))


def _lines(error: ValidationError, prefix: str) -> list[str]:
    return [f"{prefix}{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]


def _unknown_keys(config: Mapping[str, Any]) -> Iterator[str]:
    from ray.serve.config import AutoscalingConfig
    from ray.serve.schema import (
        DeploymentSchema,
        HTTPOptionsSchema,
        RayActorOptionsSchema,
        ServeApplicationSchema,
        ServeDeploySchema,
        gRPCOptionsSchema,
    )

    yield from _foreign(config, ServeDeploySchema, "")
    yield from _foreign(config.get("http_options"), HTTPOptionsSchema, "http_options.")
    yield from _foreign(config.get("grpc_options"), gRPCOptionsSchema, "grpc_options.")
    for application in config["applications"]:
        where = f"applications.{application.get('name')}."
        yield from _foreign(application, ServeApplicationSchema, where)
        for deployment in application.get("deployments") or ():
            there = f"{where}deployments.{deployment.get('name')}."
            yield from _foreign(deployment, DeploymentSchema, there)
            yield from _foreign(deployment.get("autoscaling_config"), AutoscalingConfig, f"{there}autoscaling_config.")
            yield from _foreign(
                deployment.get("ray_actor_options"), RayActorOptionsSchema, f"{there}ray_actor_options."
            )


def _foreign(given: object, schema: type[BaseModel], where: str) -> Iterator[str]:
    if not isinstance(given, dict):
        return
    known = sorted(schema.model_fields)
    for key in given:
        if key not in known:
            yield f"{where}{key}: no such key; {suggest(str(key), known, what='keys')}"
