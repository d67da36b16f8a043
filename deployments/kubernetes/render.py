"""Everything that Kubernetes is given for one endpoint, in the order it is applied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from deployments.kubernetes.control_plane import control_objects, sqlite_objects
from deployments.kubernetes.errors import ValuesError
from deployments.kubernetes.lint import problems
from deployments.kubernetes.monitoring import monitoring_objects
from deployments.kubernetes.network import network_policy
from deployments.kubernetes.objects import Object, named
from deployments.kubernetes.ray_service import disruption_budget, ray_service
from deployments.kubernetes.redis import redis_objects
from deployments.kubernetes.routes import control_routes, route_objects
from deployments.kubernetes.values import Redis, Values


def parts(values: Values, shipped: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, list[Object]]:
    """The objects by part: `base`, and those that not every endpoint has.

    Args:
        values: of the endpoint.
        shipped: content of serve_config.yaml.
        environment: what every process of the cluster must have.
    """
    base = [
        _namespace(values),
        named(values, "v1", "ServiceAccount", "sightline-worker", automountServiceAccountToken=False),
        network_policy(values),
        disruption_budget(values),
        ray_service(values, shipped, environment),
    ]
    found = {"base": base, values.route.kind: route_objects(values)}
    if isinstance(values.gcs, Redis) and values.gcs.address is None:
        found["redis"] = redis_objects(values, values.gcs)
    if values.monitoring.enabled:
        found["monitoring"] = monitoring_objects(values)
    if values.control.enabled:
        found["control"] = control_objects(values)
        found[f"control-{values.route.kind}"] = control_routes(values)
        found["control-sqlite"] = sqlite_objects(values) if values.control.database_secret is None else []
    return {part: objects for part, objects in found.items() if objects}


def render(values: Values, shipped: Mapping[str, Any], environment: Mapping[str, str]) -> list[Object]:
    """All objects; arguments as above.

    Raises:
        ValuesError: what they say could not run; one problem a line.
    """
    objects = [item for part in parts(values, shipped, environment).values() for item in part]
    wrong = problems(objects, values)
    if wrong:
        raise ValuesError("this could not run:\n" + "\n".join(f"  {line}" for line in wrong))
    return objects


def as_yaml(objects: Iterable[Object]) -> str:
    """The documents of one file."""
    return yaml.dump_all(objects, Dumper=_Dumper, sort_keys=False, width=120)


def _namespace(values: Values) -> Object:
    # What Kubernetes itself refuses in this namespace: root, host paths, added capabilities.
    enforced = {"pod-security.kubernetes.io/enforce": "restricted"}
    metadata = {"name": values.namespace, "labels": {"app.kubernetes.io/part-of": "sightline", **enforced}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
