"""Ray Serve as the control plane speaks to it: a driver of the running Ray, beside the controller that does the work.

Ray is imported when a client is made. The controller is detached from drivers: it goes on when this process dies.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from deployments.control.errors import PlatformError
from deployments.control.one_machine import ApplicationState

CALL_TIMEOUT_S = 30.0
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_KIND = re.compile(r"^[A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt): ")


class ServeClient:
    """A `ServeControl` of the Ray at an address."""

    def __init__(self, ray_address: str) -> None:
        """Connect.

        Args:
            ray_address: `host:port` of its GCS.
        """
        import logging

        import ray
        from ray.serve.context import _get_global_client  # what `serve deploy` uses; there is no public way

        ray.init(address=ray_address, namespace="serve", log_to_driver=False, logging_level=logging.ERROR)
        client = _get_global_client()
        assert client is not None  # raises when there is none
        self._controller: Any = client._controller

    def applications(self) -> dict[str, dict[str, Any]]:
        """See `ServeControl`."""
        configs = self._ask(self._controller.get_app_configs.remote())
        return {name: config.model_dump(exclude_unset=True) for name, config in configs.items()}

    def apply(self, applications: Sequence[Mapping[str, Any]]) -> None:
        """See `ServeControl`."""
        from ray.serve.schema import ServeDeploySchema

        self._ask(
            self._controller.apply_config.remote(ServeDeploySchema.model_validate({"applications": applications}))
        )

    def states(self) -> Mapping[str, ApplicationState]:
        """See `ServeControl`; `ServeInstanceDetails`, but not made one: that takes twenty times as long as to ask."""
        from ray.serve.schema import ApplicationStatus

        details = self._ask(self._controller.get_serve_instance_details.remote())
        found = {}
        for name, application in details["applications"].items():
            deployments = application["deployments"]
            messages = (application["message"], *(deployment["message"] for deployment in deployments.values()))
            found[name] = ApplicationState(
                status=ApplicationStatus(application["status"]).value,
                message="; ".join(filter(None, map(last_words, messages))),
                running={
                    deployment: sum(replica["state"] == "RUNNING" for replica in told["replicas"])
                    for deployment, told in deployments.items()
                },
                config=application.get("deployed_app_config"),
            )
        return found

    def machines(self) -> Sequence[tuple[Mapping[str, float], Mapping[str, str]]]:
        """See `ServeControl`."""
        import ray

        nodes = ray.nodes()  # type: ignore[no-untyped-call]
        return [(node["Resources"], node.get("Labels") or {}) for node in nodes if node["Alive"]]

    def _ask(self, reference: Any) -> Any:
        import ray
        from ray.exceptions import GetTimeoutError, RayError

        try:
            return ray.get(reference, timeout=CALL_TIMEOUT_S)
        except GetTimeoutError as error:
            raise PlatformError(f"Ray Serve did not answer within {CALL_TIMEOUT_S:g} s") from error
        except RayError as error:
            raise PlatformError(f"Ray Serve refuses: {error}") from error


def last_words(message: str) -> str:
    """What an error says at its end, without the way to it: that names files of this machine.

    Args:
        message: of Serve; for what failed with an error, with the traces of every process on the way.
    """
    plain = _COLOUR.sub("", message).strip()
    if "Traceback" not in plain:
        return plain
    said = [line for line in plain.splitlines() if line and not line[0].isspace()]
    return _KIND.sub("", said[-1])
