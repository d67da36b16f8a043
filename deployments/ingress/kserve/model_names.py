"""Names and versions of models in the Open Inference Protocol, and the ids they stand for.

Our ids are `project/version`. Clients may ask for model `project` in version `version`, or call the whole id the name.
"""

from __future__ import annotations

from dataclasses import dataclass

from deployments.models.errors import UnknownModelError
from deployments.models.known_models import KnownModels
from workflows.definition.nearest import suggest


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedModel:
    """A model as a client names it.

    Attributes:
        name: what the client calls it.
        version: the version it asks for; empty when it leaves it to the server.
    """

    name: str
    version: str = ""

    @property
    def model_id(self) -> str:
        """The id that is meant."""
        if not self.version or self.name.endswith(f"/{self.version}"):
            return self.name
        return f"{self.name}/{self.version}"


def meant_id(asked: AskedModel, known: KnownModels) -> str:
    """The id of the model that a client means, whether there is one or not.

    A name without a version, which is no model's own, stands for the highest version of the project. A version beside
    an alias must be that of the model.

    Raises:
        InvalidModelIdError: the name is none that a model can have.
    """
    whole = known.canonical(asked.model_id)
    if known.find(whole) is not None:
        return whole
    if not asked.version:
        return known.latest(whole) or whole
    named = known.find(asked.name)
    return named if named is not None and name_and_version(named).version == asked.version else whole


def known_id(asked: AskedModel, known: KnownModels) -> str:
    """As `meant_id`, of a model that there is.

    Raises:
        InvalidModelIdError: the name is none that a model can have.
        UnknownModelError: there is no such model.
    """
    model_id = meant_id(asked, known)
    if known.find(model_id) is None:
        raise UnknownModelError(
            f"there is no model {model_id!r}; {suggest(model_id, sorted(known.ids), what='models')}", model_id
        )
    return model_id


def name_and_version(model_id: str) -> AskedModel:
    """How the protocol lists a model: its project and its version; a name alone has none."""
    name, _, version = model_id.partition("/")
    return AskedModel(name=name, version=version)
