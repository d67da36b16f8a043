"""Reading the files of a scenario: YAML in which no key stands twice, and definitions of workflows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml


class ScenarioFileError(ValueError):
    """A file cannot be read, or holds something else; the message names it and says what is wrong."""


class _UniqueKeys(yaml.SafeLoader):
    """YAML of which the last of two equal keys does not silently count."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """A mapping as it stands there: before `<<` brings keys in, which may be said anew."""
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.composer.ComposerError(None, None, f"key {key.value!r} stands twice", key.start_mark)
                seen.add(key.value)
        return node


def read_yaml(path: Path) -> Any:
    """What a YAML file says.

    Raises:
        ScenarioFileError: there is no such file, or it is no YAML, or has a key twice.
    """
    try:
        return yaml.load(_read_text(path), _UniqueKeys)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        if isinstance(error, ScenarioFileError):
            raise
        raise ScenarioFileError(f"{path.name} is no YAML: {error}") from error


def read_definition(path: Path) -> Mapping[str, Any]:
    """A workflow's definition.

    Raises:
        ScenarioFileError: there is no such file, or it holds something else.
    """
    text = _read_text(path)
    try:
        definition = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ScenarioFileError(f"{path.name} is no JSON: {error}") from error
    inputs = definition.get("inputs") if isinstance(definition, dict) else None
    if not isinstance(inputs, list) or not all(isinstance(entry, dict) for entry in inputs):
        raise ScenarioFileError(f"{path.name} is no definition of a workflow: a JSON object with a list of `inputs` is")
    return dict(definition)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ScenarioFileError(f"{path.name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ScenarioFileError(f"{path.name} is no text: byte {error.start} is no UTF-8") from error
