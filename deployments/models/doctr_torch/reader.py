"""From a docTR package to what reads pages with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np

from deployments.models.doctr_torch.networks import (
    check_installed,
    detection_network,
    recognition_network,
    torch_device,
)
from deployments.models.doctr_torch.page import text_of_page
from deployments.models.doctr_torch.recognition_network import INPUT, RecognitionNetwork
from deployments.models.engines.engine import Engine
from deployments.models.package import ModelPackage
from deployments.models.package_layouts.contents import DoctrModel
from deployments.models.page_reading.text_reader import ReadBatch, TextReader
from deployments.models.timing import BatchTiming
from deployments.settings import EngineSettings
from workflows.values.image import Pixels
from workflows.values.recognized_text import RecognizedText


class DoctrReader(TextReader):
    """Reads with docTR's own predictor: it finds the words, reads them, and joins them into lines and blocks.

    Args:
        package: where it came from.
        predictor: a `doctr.models.predictor.OCRPredictor`, or what is called alike.
        input_hw: height and width of a crop that its recognizer takes.
    """

    def __init__(
        self, package: ModelPackage, predictor: Callable[[list[Pixels]], Any], input_hw: tuple[int, int]
    ) -> None:
        self.package = package
        self.input_hw = input_hw
        self.batch_size = None
        self._predictor = predictor

    def read_batch(self, images_bgr: Sequence[Pixels]) -> ReadBatch:
        """Text on each picture, all in one call of the predictor; see `TextReader.read_batch`."""
        started = time.perf_counter()
        shown = [at for at, image in enumerate(images_bgr) if image.size]
        pictures = [_rgb(images_bgr[at]) for at in shown]
        prepared = time.perf_counter()
        found = self._predictor(pictures).pages if pictures else []
        answered = time.perf_counter()
        pages = [RecognizedText.nothing()] * len(images_bgr)
        for at, picture, page in zip(shown, pictures, found, strict=True):
            pages[at] = text_of_page(page, (picture.shape[1], picture.shape[0]))
        timing = BatchTiming(
            preprocess_ms=(prepared - started) * 1000,
            inference_ms=(answered - prepared) * 1000,
            postprocess_ms=(time.perf_counter() - answered) * 1000,
        )
        return ReadBatch(pages=pages, timing=timing)


def doctr_reader(
    package: ModelPackage, doctr_model: DoctrModel, settings: EngineSettings, watch: Callable[[Engine], Engine]
) -> tuple[DoctrReader, Engine]:
    """The reader of a package, warmed, and its recognition network for those who ask for raw tensors.

    Nothing is fetched: both networks have the package's weights.

    Args:
        package: its files checked already.
        doctr_model: what it says of its networks.
        settings: how networks use the machine.
        watch: given the recognition network, gives the one that is to be used.

    Raises:
        UnsupportedModelError: docTR is not installed.
        ModelLoadError: the weights do not fit, or the device is not there.
    """
    check_installed(package)
    from doctr.models import ocr_predictor

    device = torch_device(package, settings)
    detection = detection_network(package, doctr_model).to(device)
    recognition = recognition_network(package, doctr_model).to(device)
    network = RecognitionNetwork(recognition, device)
    engine = watch(network)
    engine.run({INPUT: np.zeros((1, 3, *network.input_hw), dtype=np.float32)})
    # Pages are taken to be straight: docTR fetches further networks for turned ones.
    predictor = ocr_predictor(detection, recognition, pretrained=False, resolve_blocks=True, keep_reading_order=True)
    reader = DoctrReader(package, predictor, network.input_hw)
    reader.read_batch([np.full((64, 128, 3), 255, dtype=np.uint8)])
    return reader, engine


def _rgb(image: Pixels) -> Pixels:
    # Roboflow Inference hands docTR BGR, which it was not trained on. Here it sees the colours that it knows: who
    # brings weights of docTR wants their accuracy, and grey print reads the same either way.
    order = cv2.COLOR_GRAY2RGB if image.ndim == 2 else cv2.COLOR_BGR2RGB
    return cv2.cvtColor(image, order).astype(np.uint8, copy=False)
