"""The part of `model_config.json` that describes a docTR predictor with weights of its owner.

The weights are the state dicts of docTR's own networks, as safetensors. Pickles are never opened; who has some writes

    from doctr.models import crnn_vgg16_bn, db_resnet50
    from safetensors.torch import save_file

    save_file(db_resnet50(pretrained=True).state_dict(), "detection.safetensors")
    save_file(crnn_vgg16_bn(pretrained=True).state_dict(), "recognition.safetensors")

where docTR is installed, and beside them a `model_config.json` that names both.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from deployments.models.errors import ModelPackageError
from deployments.models.package_layouts.contents import DoctrModel

DOCTR = "doctr"
SUFFIX = ".safetensors"
EXAMPLE = '"doctr": {"detection": "db_resnet50", "recognition": "crnn_vgg16_bn"}'


class DoctrConfig(BaseModel):
    """`doctr` in `model_config.json`; unlike elsewhere unknown keys are refused, no other tool writes it.

    Source of the architectures: docTR 1.1, doctr/models/{detection,recognition}/zoo.py.
    """

    model_config = ConfigDict(extra="forbid")

    detection: Literal[
        "db_resnet34",
        "db_resnet50",
        "db_mobilenet_v3_large",
        "linknet_resnet18",
        "linknet_resnet34",
        "linknet_resnet50",
        "fast_tiny",
        "fast_small",
        "fast_base",
    ]
    recognition: Literal[
        "crnn_vgg16_bn",
        "crnn_mobilenet_v3_small",
        "crnn_mobilenet_v3_large",
        "sar_resnet31",
        "master",
        "vitstr_small",
        "vitstr_base",
        "parseq",
        "viptr_tiny",
    ]
    detection_weights: str = "detection.safetensors"
    recognition_weights: str = "recognition.safetensors"
    vocab: str | None = Field(default=None, min_length=1)

    @field_validator("detection_weights", "recognition_weights")
    @classmethod
    def _is_safetensors_file(cls, name: str) -> str:
        if Path(name).name != name or not name.endswith(SUFFIX):
            raise ValueError(
                f"{name!r} must be the name of a {SUFFIX} file in the folder; write it with "
                "safetensors.torch.save_file(model.state_dict(), ...)"
            )
        return name


def doctr_model(config: DoctrConfig | None, path: Path) -> DoctrModel:
    """The predictor that the package describes.

    Args:
        config: what the package says.
        path: the file that says it.

    Raises:
        ModelPackageError: it says nothing.
    """
    if config is None:
        raise ModelPackageError(
            f"{path.name}: backend_type is 'torch', and `{DOCTR}` is missing; write {EXAMPLE}", str(path)
        )
    return DoctrModel(
        detection=config.detection,
        recognition=config.recognition,
        detection_weights=config.detection_weights,
        recognition_weights=config.recognition_weights,
        vocabulary=config.vocab,
    )
