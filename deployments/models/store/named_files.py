"""Which further files the files of a package name: of a folder that lists nothing they are asked for by these names."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

from deployments.models.errors import ModelPackageError
from deployments.models.package import variant_paths
from deployments.models.package_layouts.doctr_config import DOCTR, DoctrConfig
from deployments.models.package_layouts.files import read_json_object
from deployments.models.package_layouts.model_config import MODEL_CONFIG
from deployments.models.package_layouts.onnx_tensors import external_files

DOCTR_WEIGHTS = ("detection_weights", "recognition_weights")


def files_named_in(folder: Path) -> set[str]:
    """Paths in the folder, with slashes, whether they are there or not.

    They are weights of other arithmetic, files that weights keep tensors in, and what the configuration names. What is
    wrong in any of them is said when the package is read.
    """
    named = set(_named_by_config(folder / MODEL_CONFIG))
    for weights in folder.glob("*.onnx"):
        named |= set(external_files(weights))
        if weights.suffixes == [".onnx"]:
            named |= {path.name for path in variant_paths(weights).values()}
    return {PurePosixPath(name).as_posix() for name in named if _lies_inside(name)}


def _named_by_config(path: Path) -> list[str]:
    if not path.is_file():
        return []
    try:
        config = read_json_object(path)
    except ModelPackageError:
        return []
    doctr, triton = config.get(DOCTR), config.get("triton")
    named: list[Any] = [*_object(config.get("sha256"))]
    if isinstance(doctr, dict):
        named += [doctr.get(key, DoctrConfig.model_fields[key].default) for key in DOCTR_WEIGHTS]
    named.append(_object(triton).get("root_certificates"))
    return [name for name in named if isinstance(name, str)]


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _lies_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and not set(name) & {"\\", "\0"}
