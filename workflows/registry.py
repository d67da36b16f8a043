"""All block types: whatever the files below `workflows/blocks` declare."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType, ModuleType

import workflows.blocks
from workflows.block import Block


@cache
def blocks_by_identifier() -> Mapping[str, Block]:
    """Every identifier and alias -> its block.

    Raises:
        TypeError: two blocks claim one identifier.
    """
    found: dict[str, Block] = {}
    for block in all_blocks():
        for identifier in block.identifiers:
            if identifier in found:
                raise TypeError(f"two blocks claim the type {identifier!r}")
            found[identifier] = block
    return MappingProxyType(found)


@cache
def all_blocks() -> tuple[Block, ...]:
    """Every block, ordered by file and by version within it."""
    return tuple(block for module in _modules() for block in _declared_in(module))


def _modules() -> Iterator[ModuleType]:
    package = workflows.blocks
    for info in pkgutil.walk_packages(package.__path__, prefix=f"{package.__name__}."):
        if not info.ispkg:
            yield importlib.import_module(info.name)


def _declared_in(module: ModuleType) -> tuple[Block, ...]:
    if hasattr(module, "BLOCK"):
        return (module.BLOCK,)
    if hasattr(module, "BLOCKS"):
        return tuple(module.BLOCKS)
    raise TypeError(f"{module.__name__} declares neither BLOCK nor BLOCKS")
