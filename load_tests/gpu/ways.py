"""Ways to run a network that ONNX Runtime offers, and how a command is told which of them, and on what."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import typer
from pydantic import Field

from deployments.errors import ServingError
from deployments.models.engines.cuda_device import cuda_device, tensorrt_version
from deployments.models.engines.engine import Engine
from deployments.models.package import ModelPackage
from deployments.models.package_survey import SHIPPED_DIRECTORY, discover_packages
from deployments.settings import EngineSettings
from load_tests.machine import checkout_commit, installed_versions, this_machine
from load_tests.options import checked_out
from load_tests.results import Machine, Part
from workflows.definition.nearest import suggest

WAYS: Mapping[str, EngineSettings] = {
    "cpu": EngineSettings(device="cpu", idle_threads=1),
    "cpu-binding": EngineSettings(device="cpu", io_binding="on"),
    "cuda": EngineSettings(device="cuda", io_binding="off"),
    "cuda-binding": EngineSettings(device="cuda", io_binding="on"),
    "cuda-binding-fp16": EngineSettings(device="cuda", io_binding="on", precision="fp16"),
    "tensorrt": EngineSettings(device="cuda", io_binding="on", tensorrt=True, tensorrt_max_batch=64),
    "tensorrt-fp16": EngineSettings(
        device="cuda", io_binding="on", tensorrt=True, tensorrt_max_batch=64, precision="fp16"
    ),
}


class WayMissingError(RuntimeError):
    """This machine cannot run a network that way."""


class Report(Part):
    """What every measurement says of itself.

    Attributes:
        commit: of the checkout, with `+` behind it where files differ from it.
        versions: package -> version, `python` and `tensorrt` among them.
        device: name and compute capability of the GPU; None without one.
        left_out: way -> why it was not measured.
    """

    made_at: datetime
    commit: str
    versions: dict[str, str]
    machine: Machine
    device: str | None
    left_out: dict[str, str] = Field(default_factory=dict)


def made_here() -> Report:
    """A report of this checkout on this machine, with nothing measured yet."""
    device, tensorrt = cuda_device(0), tensorrt_version()
    return Report(
        made_at=datetime.now(UTC),
        commit=checkout_commit(),
        versions=installed_versions() | ({"tensorrt": str(tensorrt)} if tensorrt else {}),
        machine=this_machine(),
        device=f"{device.name}, compute capability {device.compute_capability}" if device else None,
    )


def check_way(name: str) -> EngineSettings:
    """Settings of a way.

    Raises:
        WayMissingError: something is not there that can be seen without a network.
    """
    settings = WAYS[name]
    if settings.tensorrt and tensorrt_version() is None:
        raise WayMissingError("no TensorRT 10 library")
    if settings.device == "cuda" and cuda_device(0) is None:
        raise WayMissingError("no CUDA device")
    return settings


def check_provider(engine: Engine, settings: EngineSettings) -> None:
    """See whether a network runs as it should, and in no other way.

    Raises:
        WayMissingError: it does not.
    """
    provider = str(getattr(engine, "provider", ""))
    if engine.device != settings.device or (settings.tensorrt and not provider.startswith("Tensorrt")):
        raise WayMissingError(f"the network runs on {provider or engine.device}")


def whole_numbers(text: str) -> tuple[int, ...]:
    """Argument: whole numbers from 1 with commas between them."""
    return tuple(whole_number(part) for part in text.split(","))


def whole_number(text: str) -> int:
    """Argument: a whole number from 1."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 1 <= number <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1")
    return number


def way_names(text: str) -> tuple[str, ...]:
    """Argument: names of ways with commas between them."""
    names = tuple(dict.fromkeys(text.split(",")))
    for name in names:
        if name not in WAYS:
            raise argparse.ArgumentTypeError(f"{name!r} is no way; {suggest(name, WAYS, what='ways')}")
    return names


def add_arguments(parser: argparse.ArgumentParser, *, ways: str) -> None:
    """The arguments that every measurement has."""
    parser.add_argument("--models", type=Path, help="folder of further model packages")
    parser.add_argument("--runs", type=whole_number, default=50)
    parser.add_argument("--ways", type=way_names, default=ways, help=f"of {', '.join(WAYS)}")
    parser.add_argument("--out", type=Path, help="JSON file for the result")


def parsed(parser: argparse.ArgumentParser, given: Sequence[str] | None) -> argparse.Namespace:
    """The arguments; ends the command where one is wrong, or the result could not be written."""
    arguments = parser.parse_args(given)
    try:
        if arguments.out is not None:
            checked_out(arguments.out, page_beside=False)
    except typer.BadParameter as error:
        parser.error(f"argument --out: {error.message}")
    return arguments


def packages_for(parser: argparse.ArgumentParser, folder: Path | None) -> Mapping[str, ModelPackage]:
    """The shipped packages and those of a folder; ends the command where these cannot be served."""
    if folder is not None and not folder.is_dir():
        parser.error(f"argument --models: {folder} is no folder")
    try:
        return discover_packages(SHIPPED_DIRECTORY, *([folder] if folder else []))
    except ServingError as error:
        parser.error(f"argument --models: {error}")


def package_named(
    parser: argparse.ArgumentParser, packages: Mapping[str, ModelPackage], model_id: str, *, argument: str
) -> ModelPackage:
    """One package; ends the command where there is none of this name."""
    if model_id not in packages:
        near = suggest(model_id, sorted(packages), what="models")
        parser.error(f"argument {argument}: no model {model_id!r}; {near}; --models FOLDER adds others")
    return packages[model_id]
