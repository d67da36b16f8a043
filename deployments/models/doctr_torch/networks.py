"""docTR's networks with the weights of a package."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from deployments.models.errors import ModelLoadError, UnsupportedModelError
from deployments.models.package import ModelPackage
from deployments.models.package_layouts.contents import DoctrModel
from deployments.settings import EngineSettings

logger = logging.getLogger(__name__)

MOST_NAMED = 3
"""Tensors that a message names of those that do not fit."""


def check_installed(package: ModelPackage) -> None:
    """Refuse a package that nothing here can run.

    Raises:
        UnsupportedModelError: docTR or what it needs is not installed; names the extra.
    """
    try:
        import doctr  # noqa: F401
        import safetensors  # noqa: F401
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        raise UnsupportedModelError(
            f"model {package.model_id!r} runs on docTR, and {error.name} is not installed here; "
            "install sightline with its extra `doctr`",
            package.model_id,
        ) from error


def torch_device(package: ModelPackage, settings: EngineSettings) -> Any:
    """Where the networks run, threads set; precisions other than fp32 are not offered.

    The number of threads holds for all of torch in this process.

    Raises:
        ModelLoadError: CUDA is asked for and not there.
    """
    import torch

    if settings.precision != "fp32":
        logger.warning("docTR runs in fp32 alone", extra={"model_id": package.model_id, "wanted": settings.precision})
    torch.set_num_threads(settings.intra_op_threads)
    has_cuda = torch.cuda.is_available()
    if settings.device == "cuda" and not has_cuda:
        raise ModelLoadError(
            f"model {package.model_id!r} is to run on CUDA, which torch does not find here; set the device to auto or "
            "cpu, or install a build of torch for CUDA",
            package.model_id,
        )
    on_cuda = has_cuda and settings.device != "cpu"
    return torch.device(f"cuda:{settings.device_id}" if on_cuda else "cpu")


def detection_network(package: ModelPackage, doctr_model: DoctrModel) -> Any:
    """The text detector, in evaluation.

    Raises:
        ModelLoadError: the weights are not of its architecture.
    """
    from doctr.models import detection

    network = getattr(detection, doctr_model.detection)(pretrained=False, pretrained_backbone=False)
    _fill(network, package, doctr_model.detection, doctr_model.detection_weights)
    # As docTR's own predictor does, for speed; it changes the layout of the weights.
    return detection.reparameterize(network) if isinstance(network, detection.FAST) else network


def recognition_network(package: ModelPackage, doctr_model: DoctrModel) -> Any:
    """The text recognizer, in evaluation.

    Raises:
        ModelLoadError: the weights are not of its architecture, or of another vocabulary.
    """
    from doctr.models import recognition

    own = {} if doctr_model.vocabulary is None else {"vocab": doctr_model.vocabulary}
    network = getattr(recognition, doctr_model.recognition)(pretrained=False, pretrained_backbone=False, **own)
    what = f"{doctr_model.recognition} with a vocabulary of {len(network.vocab)} characters"
    _fill(network, package, what, doctr_model.recognition_weights)
    return network


def _fill(network: Any, package: ModelPackage, what: str, file: str) -> None:
    """Give a network its weights."""
    problem = _load(network, package.directory / file)
    if problem:
        raise ModelLoadError(f"{file} of {package.model_id!r} does not fit {what}: {problem}", package.model_id)
    network.eval()


def _load(network: Any, path: Path) -> str:
    """What keeps the weights from being those of the network; empty when it took them."""
    from safetensors.torch import load_file

    stored, wanted = load_file(path), network.state_dict()
    problems = {
        "missing": wanted.keys() - stored.keys(),
        "unknown": stored.keys() - wanted.keys(),
        "of another shape": {
            name for name in wanted.keys() & stored.keys() if wanted[name].shape != stored[name].shape
        },
    }
    said = "; ".join(f"{len(names)} tensors are {how} ({_named(names)})" for how, names in problems.items() if names)
    if not said:
        network.load_state_dict(stored)
    return said


def _named(names: Iterable[str]) -> str:
    ordered = sorted(names)
    return ", ".join(ordered[:MOST_NAMED]) + (", ..." if len(ordered) > MOST_NAMED else "")
