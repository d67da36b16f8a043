"""Where the models of an endpoint run, as its WorkflowRouters are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ray.serve.handle import DeploymentHandle

from deployments.models.known_models import KnownModels


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Models that are not served like all others.

    Attributes:
        known: the models that there are.
        batch_items: most images of one call, by id of the model.
        detectors: handles to the deployments of image models that have one of their own, by id.
        readers: the same for text readers.
    """

    known: KnownModels = field(default_factory=KnownModels)
    batch_items: Mapping[str, int] = field(default_factory=dict)
    detectors: Mapping[str, DeploymentHandle[Any]] = field(default_factory=dict)
    readers: Mapping[str, DeploymentHandle[Any]] = field(default_factory=dict)

    def with_plain_pickles(self) -> Placement:
        """The same, by handles whose calls are pickled plainly."""
        return replace(
            self,
            detectors={model_id: plainly_pickled(handle) for model_id, handle in self.detectors.items()},
            readers={model_id: plainly_pickled(handle) for model_id, handle in self.readers.items()},
        )

    def canonical(self, text: str) -> str:
        """The id that a request means.

        Raises:
            InvalidModelIdError: the text is no model id.
        """
        return self.known.canonical(text)


def plainly_pickled(handle: DeploymentHandle[Any]) -> DeploymentHandle[Any]:
    """The handle, with calls and answers in plain pickles.

    What travels are values of classes that both sides import. Serve's default, cloudpickle, is for functions and
    classes made on the way, and takes more than twice as long.
    """
    return handle.options(request_serialization="pickle", response_serialization="pickle")
