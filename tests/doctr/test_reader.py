from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from doctr.models import detection
from numpy.testing import assert_allclose
from safetensors.torch import save_file

from deployments.models.doctr_torch.networks import detection_network
from deployments.models.doctr_torch.reader import DoctrReader
from deployments.models.errors import ModelLoadError
from deployments.models.loading import engine_of, load_model
from deployments.models.package import ModelPackage, read_package
from deployments.settings import EngineSettings
from tests.doctr.conftest import NETWORKS
from tests.doctr.printed_page import PAGE

CPU = EngineSettings(device="cpu")


@pytest.fixture(scope="module")
def loaded(package: ModelPackage) -> DoctrReader:
    reader = load_model(package, CPU)
    assert isinstance(reader, DoctrReader)
    return reader


def test_a_package_reads_what_its_predictor_reads_in_doctr(predictor: Any, loaded: DoctrReader) -> None:
    blank = np.zeros((0, 0, 3), dtype=np.uint8)
    read, nothing, other = loaded.read_batch([PAGE, blank, PAGE[:150]]).pages
    document = predictor([np.ascontiguousarray(PAGE[..., ::-1]), np.ascontiguousarray(PAGE[:150, :, ::-1])])
    words = [word for block in document.pages[0].blocks for line in block.lines for word in line.words]
    assert len(words) > 5
    assert len({word.value for word in words}) > 5
    assert len(document.pages[0].blocks) > 1
    assert [read.text, nothing.text, other.text] == [document.pages[0].render(), "", document.pages[1].render()]
    of_words = read.level == 2
    expected = np.array([word.geometry for word in words]).reshape(-1, 4) * (500, 240, 500, 240)
    assert_allclose(read.xyxy[of_words], expected, atol=1e-6)
    assert_allclose(read.scores[of_words], [word.confidence for word in words], rtol=1e-6)


def test_colours_are_those_that_doctr_is_trained_on(predictor: Any, loaded: DoctrReader) -> None:
    [read] = loaded.read_batch([PAGE]).pages
    assert predictor([PAGE]).pages[0].render() != read.text


@pytest.mark.parametrize("hw", [(1, 1), (1, 3000), (3000, 1)])
def test_pictures_of_any_shape_are_read(loaded: DoctrReader, hw: tuple[int, int]) -> None:
    [read] = loaded.read_batch([np.full((*hw, 3), 255, dtype=np.uint8)]).pages
    assert np.all((read.xyxy >= 0) & (read.xyxy <= (hw[1], hw[0], hw[1], hw[0])))


def test_the_recognizer_answers_raw_tensors(predictor: Any, loaded: DoctrReader) -> None:
    engine = engine_of(loaded)
    crops = np.random.default_rng(5).random((2, 3, 32, 128), dtype=np.float32)
    with torch.inference_mode():
        expected = predictor.reco_predictor.model(torch.from_numpy(crops), return_model_output=True)["out_map"]
    [spec] = engine.inputs
    assert (spec.shape, engine.device, loaded.input_hw) == ((None, 3, 32, 128), "cpu", (32, 128))
    [logits] = engine.run({spec.name: crops}).values()
    assert_allclose(logits, expected.numpy(), rtol=1e-5, atol=1e-5)
    assert engine.outputs[0].shape == (None, *expected.shape[1:])


@pytest.mark.parametrize(
    ("networks", "message"),
    [
        (
            {"vocab": "AB"},
            r"recognition.safetensors .* with a vocabulary of 2 characters: 2 tensors are of another shape",
        ),
        (
            {"detection": "linknet_resnet34"},
            r"detection.safetensors .* does not fit linknet_resnet34: \d+ tensors are missing",
        ),
    ],
)
def test_weights_of_another_network_are_refused_by_what_does_not_fit(
    package: ModelPackage, tmp_path: Path, networks: dict[str, str], message: str
) -> None:
    folder = shutil.copytree(package.directory, tmp_path / "other")
    config = json.loads((folder / "model_config.json").read_text())
    (folder / "model_config.json").write_text(json.dumps(config | {"doctr": NETWORKS | networks}))
    with pytest.raises(ModelLoadError, match=message) as caught:
        load_model(read_package(folder), CPU)
    assert str(tmp_path) not in caught.value.message


def test_layers_of_fast_are_merged_after_they_were_given_their_weights(package: ModelPackage, tmp_path: Path) -> None:
    torch.manual_seed(3)
    theirs = detection.fast_tiny(pretrained=False, pretrained_backbone=False).eval()
    save_file(theirs.state_dict(), tmp_path / "detection.safetensors")
    assert package.doctr is not None
    ours = detection_network(replace(package, directory=tmp_path), replace(package.doctr, detection="fast_tiny"))
    page = torch.rand(1, 3, 128, 128)
    with torch.inference_mode():
        expected, given = (each(page, return_model_output=True)["out_map"] for each in (theirs, ours))
    assert_allclose(given.numpy(), expected.numpy(), atol=1e-4)
    assert len(ours.state_dict()) < len(theirs.state_dict())
