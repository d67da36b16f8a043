"""Two networks of docTR with random weights, and the package that they are put in."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from training.torchvision_ops import declare_torchvision_ops

declare_torchvision_ops()  # serving needs a torchvision that fits its torch; tests run beside any

from doctr.models import crnn_mobilenet_v3_small, linknet_resnet18, ocr_predictor  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from deployments.models.package import ModelPackage, read_package  # noqa: E402
from tests.doctr.printed_page import PAGE  # noqa: E402
from tests.unit.deployments.models.package_layouts.test_doctr_config import write  # noqa: E402

NETWORKS = {"detection": "linknet_resnet18", "recognition": "crnn_mobilenet_v3_small"}


@pytest.fixture(scope="session")
def predictor() -> Any:
    """docTR's own, of random weights that tell pictures apart: it finds words here and there and reads nonsense.

    Activations of random networks fade away with depth, unless their normalization fits what they see.
    """
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


@pytest.fixture(scope="session")
def package(predictor: Any, tmp_path_factory: pytest.TempPathFactory) -> ModelPackage:
    folder = write(tmp_path_factory.mktemp("doctr"), doctr=NETWORKS)
    save_file(predictor.det_predictor.model.state_dict(), folder / "detection.safetensors")
    save_file(predictor.reco_predictor.model.state_dict(), folder / "recognition.safetensors")
    return read_package(folder)
