"""Which models there are, by every name they have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from deployments.models.model_id import canonical_model_id
from deployments.models.package import ModelPackage


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModels:
    """The models that can be asked for, loaded or not.

    Attributes:
        ids: of those that are served.
        aliases: other name -> id.
        refused_ids: of those whose packages are broken: they are there, and cannot be served.
    """

    ids: frozenset[str] = frozenset()
    aliases: Mapping[str, str] = field(default_factory=dict)
    refused_ids: frozenset[str] = frozenset()

    @classmethod
    def of(cls, packages: Mapping[str, ModelPackage], refused_ids: Iterable[str]) -> KnownModels:
        """Those of packages, by id."""
        aliases = {alias: model_id for model_id, package in packages.items() for alias in package.aliases}
        return cls(ids=frozenset(packages), aliases=aliases, refused_ids=frozenset(refused_ids))

    def canonical(self, text: str) -> str:
        """The id that a request means, whether there is such a model or not.

        Raises:
            InvalidModelIdError: the text is no model id.
        """
        model_id = canonical_model_id(text)
        return self.aliases.get(model_id, model_id)

    def find(self, text: str) -> str | None:
        """The id of the model with a name; None when there is none.

        Raises:
            InvalidModelIdError: the text is no model id.
        """
        model_id = self.canonical(text)
        return model_id if model_id in self.ids or model_id in self.refused_ids else None

    def latest(self, project: str) -> str | None:
        """The id of the highest version of a project that is served; None when there is none.

        Versions that are numbers come in their order, above all others.
        """
        versions = [model_id for model_id in self.ids if model_id.startswith(f"{project}/")]
        return max(versions, key=lambda model_id: _rank(model_id.partition("/")[2]), default=None)


def _rank(version: str) -> tuple[int, str]:
    return (int(version) if version.isdecimal() else -1, version)
