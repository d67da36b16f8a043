"""What README.md and CONTRIBUTING.md show works."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.unit.workflows.builders import detections
from workflows.block import Block
from workflows.compiler.compile import compile_definition
from workflows.registry import blocks_by_identifier

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "CONTRIBUTING.md")

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
CODE_SPAN = re.compile(r"`([^`\n]+)`")
COMMAND = re.compile(r"^make ([a-z][a-z-]*)", re.MULTILINE)


def page(name: str) -> str:
    return (ROOT / name).read_text()


def blocks_of(name: str, language: str) -> list[str]:
    return [text for marked, text in FENCE.findall(page(name)) if marked == language]


def make_targets(name: str) -> set[str]:
    text = page(name)
    pieces = [*(block for _, block in FENCE.findall(text)), *CODE_SPAN.findall(FENCE.sub("", text))]
    return {target for piece in pieces for target in COMMAND.findall(piece)}


def example_block(folder: Path) -> ModuleType:
    (source,) = [text for text in blocks_of("CONTRIBUTING.md", "python") if "BLOCK = Block(" in text]
    file = folder / "confidence_filter.py"
    file.write_text(source)
    spec = importlib.util.spec_from_file_location("confidence_filter", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_workflow_of_the_readme_compiles() -> None:
    documents: list[dict[str, Any]] = [json.loads(text) for text in blocks_of("README.md", "json")]
    workflows = [document for document in documents if "steps" in document]
    assert workflows
    for document in workflows:
        assert compile_definition(document).outputs


@pytest.mark.parametrize("name", PAGES)
def test_every_python_example_is_python(name: str) -> None:
    sources = blocks_of(name, "python")
    assert sources
    for source in sources:
        compile(source, name, "exec")


@pytest.mark.parametrize("name", PAGES)
def test_every_make_command_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", page("Makefile"), re.MULTILINE))
    named = make_targets(name)
    assert named
    assert named <= targets


def test_the_block_that_contributors_are_shown_can_be_a_step(tmp_path: Path) -> None:
    block = example_block(tmp_path).BLOCK
    assert isinstance(block, Block)
    document = {
        "version": "1.0",
        "inputs": [
            {"type": "WorkflowBatchInput", "name": "found", "kind": ["object_detection_prediction"]},
        ],
        "steps": [{"type": block.type, "name": "sure", "predictions": "$inputs.found", "minimum": 0.7}],
        "outputs": [{"type": "JsonField", "name": "sure", "selector": "$steps.sure.predictions"}],
    }
    plan = compile_definition(document, blocks={**blocks_by_identifier(), block.type: block})
    assert plan.steps["sure"].literals["minimum"] == 0.7


def test_the_block_that_contributors_are_shown_does_what_it_says(tmp_path: Path) -> None:
    found = detections([0, 0, 1, 1], [0, 0, 2, 2], confidence=np.array([0.5, 0.4]))
    kept = example_block(tmp_path).run(found, 0.5)["predictions"]
    assert kept.xyxy.tolist() == [[0, 0, 1, 1]]
