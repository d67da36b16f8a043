from types import ModuleType

import pytest

from workflows import registry
from workflows.block import Block
from workflows.registry import all_blocks, blocks_by_identifier


def test_every_identifier_leads_to_its_block():
    for identifier, block in blocks_by_identifier().items():
        assert identifier in block.identifiers


def test_aliases_of_the_tutorial_are_known():
    assert {"ObjectDetectionModel", "DetectionOffset", "Crop", "OCRModel"} <= set(blocks_by_identifier())


def test_every_file_below_blocks_declares_a_block():
    files = {block.manifest.__module__ for block in all_blocks()}
    assert files == {module.__name__ for module in registry._modules()}


def test_two_blocks_of_one_identifier_are_refused(monkeypatch):
    block: Block = all_blocks()[0]
    monkeypatch.setattr(registry, "all_blocks", lambda: (block, block))
    with pytest.raises(TypeError, match="two blocks claim the type"):
        blocks_by_identifier.__wrapped__()


def test_a_file_that_declares_no_block_is_refused():
    with pytest.raises(TypeError, match="empty declares neither BLOCK nor BLOCKS"):
        registry._declared_in(ModuleType("empty"))
