"""What holds for every file of the project."""

from __future__ import annotations

import importlib
import inspect
import pickle
import pkgutil
import re
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import deployments
import workflows
from workflows.errors import BlockProblem

ROOT = Path(__file__).parents[2]
PACKAGES = (workflows, deployments)
LONGEST_FILE_LINES = 500

OUTSIDE = re.compile(
    r"(?<![\w.~-])/(?:" + "|".join(("work", "root", "tmp", "home", "opt")) + r")/"
    r"|py" + r"pi\.org|python" + r"hosted\.org|--(?:extra-)?index" + r"-url",
)
"""Places of one machine, and hosts of package indexes; written in pieces, this file is searched too."""

ARGUMENTS: dict[str, Any] = {
    "message": "no such thing",
    "problems": [BlockProblem(step="crop", block_type="Crop", property_name="image", details="is required")],
    "inner_type": "ValueError",
    "inner_message": "cause",
    "status": 404,
    "model_id": "plates/1",
    "path": "plates/1/weights.onnx",
    "source": "s3://models/plates",
    "replica_id": "a1b2c3",
    "loaded_ids": ("plates/1",),
    "retry_after_s": 2.5,
}
"""A value for each parameter that an error of ours has; a new name needs a row."""


def all_modules() -> list[ModuleType]:
    return [
        importlib.import_module(info.name)
        for package in PACKAGES
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ]


def python_files() -> list[Path]:
    folders = ("workflows", "deployments", "training", "tests", "load_tests")
    return [file for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_of_ours_is_the_one_that_is_imported(package: ModuleType) -> None:
    assert package.__file__ is not None
    assert Path(package.__file__).parents[1] == ROOT, "another installed package has this name"


def test_every_module_is_imported_from_its_own_file() -> None:
    imported = {Path(module.__file__ or "") for module in all_modules()}
    ours = {file for package in PACKAGES for file in (ROOT / package.__name__).rglob("*.py")}
    assert ours - imported == {ROOT / package.__name__ / "__init__.py" for package in PACKAGES}


def test_every_module_says_what_it_is_for() -> None:
    full = [module for module in all_modules() if module.__file__ and Path(module.__file__).read_text().strip()]
    assert [module.__name__ for module in full if not module.__doc__] == []


def test_no_file_is_longer_than_a_reader_bears() -> None:
    lengths = {named(file): len(file.read_text().splitlines()) for file in python_files()}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE_LINES} == {}


def all_errors() -> list[type[Exception]]:
    found = {
        value
        for module in all_modules()
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, Exception) and value.__module__ == module.__name__
    }
    return sorted(found, key=lambda error: (error.__module__, error.__name__))


def test_every_error_survives_the_way_to_another_process() -> None:
    errors = all_errors()
    assert len(errors) > 30
    for kind in errors:
        parameters = inspect.signature(kind.__init__).parameters
        names = [name for name in parameters if name in ARGUMENTS] or ["message"]
        error = kind(*(ARGUMENTS[name] for name in names))
        restored = pickle.loads(pickle.dumps(error))
        assert (type(restored), vars(restored), str(restored)) == (kind, vars(error), str(error))


def test_every_error_takes_arguments_that_have_a_value_here() -> None:
    """Otherwise the test above would leave an argument out, and a lost one would go unnoticed."""
    unknown = {
        f"{kind.__name__}.{name}"
        for kind in all_errors()
        for name in inspect.signature(kind.__init__).parameters
        if name not in {"self", "args", "kwargs", *ARGUMENTS}
    }
    assert unknown == set()


def test_no_file_speaks_of_one_machine_or_of_a_package_index() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout: what is tracked is not known")
    found = []
    for name in listed.stdout.decode().split("\0"):
        path = ROOT / name
        if not path.is_file():
            continue
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue  # a picture or a network
        found += [f"{name}:{number}" for number, line in enumerate(lines, 1) if OUTSIDE.search(line)]
    assert found == []
