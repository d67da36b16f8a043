"""Our own server as a target: started for the test, or running already."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from deployments.models.package_survey import SHIPPED_DIRECTORY
from load_tests.scenario import OURS, ServerOptions
from load_tests.started import ROOT, free_port, says_ready, started
from load_tests.target import RunningTarget

COPIED_MODEL = "vehicle-registration-plates-trudk/2"


@dataclass(frozen=True, slots=True, kw_only=True)
class SightlineTarget:
    """`sightline serve` from this checkout.

    Attributes:
        options: what the scenario wants of it.
        arguments: further ones of the command.
    """

    options: ServerOptions = field(default_factory=ServerOptions)
    arguments: tuple[str, ...] = ()
    name: str = OURS
    about: str = "this checkout: `sightline serve`"

    @contextmanager
    def running(self) -> Iterator[RunningTarget]:
        """Start it on a free port; its own first request has warmed every model before it says `ready`."""
        port, began_s = free_port(), time.monotonic()
        with tempfile.TemporaryDirectory(prefix="load-") as folder:
            arguments = ["serve", "--port", str(port), *self.arguments, *_prepared(self.options, Path(folder))]
            with started("deployments.cli.main", arguments, says_ready) as process:
                start_s = time.monotonic() - began_s
                yield RunningTarget(url=f"http://127.0.0.1:{port}", root_pid=process.pid, start_s=start_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningServerTarget:
    """A server that somebody else started.

    Attributes:
        url: where it answers.
        root_pid: its first process, when it runs here and its CPU is to be counted.
        headers: sent with every request.
    """

    url: str
    root_pid: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    name: str = OURS
    about: str = "a server that was running already"

    @contextmanager
    def running(self) -> Iterator[RunningTarget]:
        """Neither start nor stop it."""
        yield RunningTarget(url=self.url.rstrip("/"), root_pid=self.root_pid, headers=dict(self.headers))


def _prepared(options: ServerOptions, folder: Path) -> list[str]:
    """Arguments of the command, for which models and a configuration are written into a folder."""
    arguments = []
    if options.model_copies:
        copy_models(folder / "models", options.model_copies)
        arguments += ["--models", str(folder / "models")]
    if options.max_loaded_models is not None:
        configuration = yaml.safe_load((ROOT / "serve_config.yaml").read_text(encoding="utf-8"))
        for deployment in configuration["applications"][0]["deployments"]:
            if deployment["name"] == "ObjectDetector":
                deployment.setdefault("user_config", {})["max_loaded_models"] = options.max_loaded_models
        (folder / "serve_config.yaml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
        arguments += ["--config", str(folder / "serve_config.yaml")]
    return arguments


def copy_models(root: Path, copies: int) -> None:
    """Write packages `copy-1/1` to `copy-<copies>/1`, each the shipped plate detector under another name."""
    for number in range(1, copies + 1):
        package = root / f"copy-{number}" / "1"
        shutil.copytree(SHIPPED_DIRECTORY / COPIED_MODEL, package)
        written = package / "model_config.json"
        config = json.loads(written.read_text(encoding="utf-8"))
        written.write_text(json.dumps(config | {"model_id": f"copy-{number}/1"}), encoding="utf-8")
