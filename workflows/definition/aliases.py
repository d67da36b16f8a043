"""The names under which a document may give the field of a manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel


def fields_by_alias(manifest: type[BaseModel]) -> dict[str, str]:
    """Every name and alias -> its field."""
    names = {}
    for name, info in manifest.model_fields.items():
        names[name] = name
        alias = info.validation_alias or info.alias
        for choice in getattr(alias, "choices", [alias]):
            if isinstance(choice, str):
                names[choice] = name
    return names


def declared_names(manifest: type[BaseModel], step: Mapping[str, Any]) -> dict[str, str]:
    """Field -> the name (or alias) under which a step's JSON gives it."""
    return {field: name for name, field in fields_by_alias(manifest).items() if name in step}
