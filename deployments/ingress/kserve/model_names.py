"""Names and versions of models in the Open Inference Protocol, and the ids they stand for.

Our ids are `project/version`. Clients may ask for model `project` in version `version`, or call the whole id the name.
"""

from __future__ import annotations

from dataclasses import dataclass


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


def name_and_version(model_id: str) -> AskedModel:
    """How the protocol lists a model: its project and its version; a name alone has none."""
    name, _, version = model_id.partition("/")
    return AskedModel(name=name, version=version)
