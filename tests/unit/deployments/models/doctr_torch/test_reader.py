from __future__ import annotations

import json
import shutil
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from deployments.models.doctr_torch.reader import DoctrReader
from deployments.models.errors import ModelLoadError, UnsupportedModelError
from deployments.models.loading import engine_of, load_model
from deployments.models.package import ModelPackage, read_package
from deployments.settings import EngineSettings
from tests.unit.deployments.models.package_layouts.test_doctr_config import write

CPU = EngineSettings(device="cpu")
MISSING = [name for name in ("torch", "torchvision", "doctr", "safetensors") if find_spec(name) is None]
needs_doctr = pytest.mark.skipif(
    bool(MISSING), reason=f"{', '.join(MISSING)} not installed: install sightline with its extra `doctr`"
)

Pixels = NDArray[np.uint8]


class Recording:
    """A predictor that reads `A` in the left half of every page, and keeps what it was shown."""

    def __init__(self) -> None:
        self.calls: list[list[Pixels]] = []

    def __call__(self, pages: list[Pixels]) -> Any:
        self.calls.append(pages)
        word = SimpleNamespace(value="A", confidence=0.75, geometry=((0.0, 0.0), (0.5, 1.0)))
        page = SimpleNamespace(blocks=[SimpleNamespace(lines=[SimpleNamespace(words=[word])])])
        return SimpleNamespace(pages=[page] * len(pages))


def reader_of(folder: Path) -> tuple[DoctrReader, Recording]:
    predictor = Recording()
    return DoctrReader(read_package(write(folder)), predictor, (32, 128)), predictor


def test_all_pictures_of_a_call_are_shown_at_once_in_rgb(tmp_path: Path) -> None:
    reader, predictor = reader_of(tmp_path)
    blue = np.full((2, 4, 3), (255, 0, 7), dtype=np.uint8)
    grey = np.full((6, 8), 9, dtype=np.uint8)
    for picture in (blue, grey):
        picture.flags.writeable = False
    read = reader.read_batch([blue, grey]).pages
    ((first, second),) = predictor.calls
    assert_array_equal(first, np.full((2, 4, 3), (7, 0, 255)))
    assert_array_equal(second, np.full((6, 8, 3), 9))
    assert [page.xyxy[0].tolist() for page in read] == [[0, 0, 2, 2], [0, 0, 4, 6]]
    assert [page.text for page in read] == ["A", "A"]


def test_pictures_without_pixels_read_as_nothing(tmp_path: Path) -> None:
    reader, predictor = reader_of(tmp_path)
    empty = np.zeros((0, 5, 3), dtype=np.uint8)
    assert [page.text for page in reader.read_batch([empty, np.zeros((2, 2, 3), np.uint8), empty]).pages] == [
        "",
        "A",
        "",
    ]
    assert len(predictor.calls[0]) == 1
    assert [page.text for page in reader.read_batch([empty]).pages] == [""]
    assert reader.read_batch([]).pages == []
    assert len(predictor.calls) == 1


@pytest.mark.skipif(not MISSING, reason="docTR is installed")
def test_who_asks_for_doctr_where_it_is_not_installed_is_told_the_extra(tmp_path: Path) -> None:
    with pytest.raises(
        UnsupportedModelError, match=r"is not installed here; install sightline with its extra `doctr`"
    ) as caught:
        load_model(read_package(write(tmp_path)), CPU)
    assert caught.value.model_id == "doctr/pretrained"


def test_weights_that_changed_since_they_were_declared_are_never_opened(tmp_path: Path) -> None:
    package = replace(read_package(write(tmp_path)), file_sums={"detection.safetensors": "0" * 64})
    with pytest.raises(ModelLoadError, match=r"detection.safetensors of 'doctr/pretrained' has sha256"):
        load_model(package, CPU)


def printed(*lines: str) -> Pixels:
    pixels = np.full((90 * len(lines) + 60, 500, 3), 255, dtype=np.uint8)
    for row, line in enumerate(lines):
        cv2.putText(pixels, line, (40, 90 * row + 85), cv2.FONT_HERSHEY_DUPLEX, 1.5, (20, 60, 160), 3)
    return pixels


PAGE = printed("INVOICE 2417", "Total 38.50")
NETWORKS = {"detection": "linknet_resnet18", "recognition": "crnn_mobilenet_v3_small"}


@pytest.fixture(scope="module")
def predictor() -> Any:
    """docTR's own, of random weights that tell pictures apart: it finds words here and there and reads nonsense.

    Activations of random networks fade away with depth, unless their normalization fits what they see.
    """
    import torch
    from doctr.models import crnn_mobilenet_v3_small, linknet_resnet18, ocr_predictor

    torch.set_num_threads(1)
    torch.manual_seed(2)
    detection = linknet_resnet18(pretrained=False, pretrained_backbone=False).eval()
    recognition = crnn_mobilenet_v3_small(pretrained=False, pretrained_backbone=False).eval()
    whole = ocr_predictor(detection, recognition, pretrained=False, resolve_blocks=True, keep_reading_order=True)
    [pages] = whole.det_predictor.pre_processor([PAGE])
    [crops] = whole.reco_predictor.pre_processor([PAGE[40:110, left : left + 280].copy() for left in (0, 100, 200)])
    for network, seen in ((detection, pages), (recognition, crops)):
        for layer in network.modules():
            if isinstance(layer, torch.nn.BatchNorm2d):
                layer.momentum = 1.0
                layer.train()
        with torch.no_grad():
            network(seen, return_model_output=True)
        network.eval()
    weight, bias = list(detection.parameters())[-2:]
    with torch.no_grad():
        for each in (*recognition.decoder.parameters(), recognition.linear.weight):
            each.mul_(10)
        weight.copy_(weight.mean(dim=(2, 3), keepdim=True).expand_as(weight) * 5)
        bias.zero_()
        logits = torch.logit(detection(pages, return_model_output=True)["out_map"], eps=1e-9)
        # One pixel of twenty is above docTR's threshold, a probability of 0.1.
        bias.copy_(-logits.flatten()[::97].quantile(0.95) - 2.2)
    return whole


@pytest.fixture(scope="module")
def package(predictor: Any, tmp_path_factory: pytest.TempPathFactory) -> ModelPackage:
    from safetensors.torch import save_file

    folder = write(tmp_path_factory.mktemp("doctr"), doctr=NETWORKS)
    save_file(predictor.det_predictor.model.state_dict(), folder / "detection.safetensors")
    save_file(predictor.reco_predictor.model.state_dict(), folder / "recognition.safetensors")
    return read_package(folder)


@pytest.fixture(scope="module")
def loaded(package: ModelPackage) -> DoctrReader:
    reader = load_model(package, CPU)
    assert isinstance(reader, DoctrReader)
    return reader


@needs_doctr
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


@needs_doctr
def test_colours_are_those_that_doctr_is_trained_on(predictor: Any, loaded: DoctrReader) -> None:
    [read] = loaded.read_batch([PAGE]).pages
    assert predictor([PAGE]).pages[0].render() != read.text


@needs_doctr
@pytest.mark.parametrize("hw", [(1, 1), (1, 3000), (3000, 1)])
def test_pictures_of_any_shape_are_read(loaded: DoctrReader, hw: tuple[int, int]) -> None:
    [read] = loaded.read_batch([np.full((*hw, 3), 255, dtype=np.uint8)]).pages
    assert np.all((read.xyxy >= 0) & (read.xyxy <= (hw[1], hw[0], hw[1], hw[0])))


@needs_doctr
def test_the_recognizer_answers_raw_tensors(predictor: Any, loaded: DoctrReader) -> None:
    import torch

    engine = engine_of(loaded)
    crops = np.random.default_rng(5).random((2, 3, 32, 128), dtype=np.float32)
    with torch.inference_mode():
        expected = predictor.reco_predictor.model(torch.from_numpy(crops), return_model_output=True)["out_map"]
    [spec] = engine.inputs
    assert (spec.shape, engine.device, loaded.input_hw) == ((None, 3, 32, 128), "cpu", (32, 128))
    [logits] = engine.run({spec.name: crops}).values()
    assert_allclose(logits, expected.numpy(), rtol=1e-5, atol=1e-5)
    assert engine.outputs[0].shape == (None, *expected.shape[1:])


@needs_doctr
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


@needs_doctr
def test_layers_of_fast_are_merged_after_they_were_given_their_weights(package: ModelPackage, tmp_path: Path) -> None:
    import torch
    from doctr.models import detection
    from safetensors.torch import save_file

    from deployments.models.doctr_torch.networks import detection_network

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
