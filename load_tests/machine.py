"""What a result says of where and of what it was measured."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from load_tests.results import Machine

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("ray", "onnxruntime", "onnxruntime-gpu", "numpy", "opencv-python-headless", "fastapi", "uvicorn", "uvloop")


def this_machine() -> Machine:
    """The machine, and how busy it is now."""
    return Machine(
        platform=platform.platform(),
        cpu=_cpu_name(),
        cpus=psutil.cpu_count() or 1,
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        load_1m=psutil.getloadavg()[0],
    )


def installed_versions() -> dict[str, str]:
    """Python and the packages that speed depends on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def checkout_commit() -> str:
    """Commit of this checkout, `+` behind it where files differ; `unknown` without git."""
    head, changes = _git("rev-parse", "HEAD"), _git("status", "--porcelain")
    return f"{head}{'+' if changes else ''}" if head else "unknown"


def _git(*arguments: str) -> str:
    try:
        said = subprocess.run(  # noqa: S603
            ["git", *arguments],  # noqa: S607 - the one on the path
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return said.stdout.strip()


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
