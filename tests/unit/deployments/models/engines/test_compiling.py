from __future__ import annotations

from pathlib import Path

import pytest

from deployments.models.engines.compiling import CannotCompileError, compile_engine
from deployments.models.package import read_package
from deployments.models.package_layouts.contents import EmulatedModel, TritonModel
from deployments.models.service_times import ServiceTimes
from deployments.settings import EngineSettings
from tests.unit.deployments.models.builders import package, write_package


def test_without_a_gpu_it_says_what_it_takes(tmp_path: Path) -> None:
    mine = read_package(write_package(tmp_path / "plates" / "1"))
    with pytest.raises(CannotCompileError, match=r"'plates/1' here: it takes a GPU, TensorRT 10 and the extra `gpu`"):
        compile_engine(mine, EngineSettings(device="cpu", tensorrt_cache_dir=tmp_path / "cache"))
    assert not (tmp_path / "cache").exists()


def test_what_runs_on_triton_is_built_there() -> None:
    theirs = package(triton=TritonModel(address="gpu-7:8001", tls=False, model_name="plates"))
    with pytest.raises(CannotCompileError, match="build its engine there"):
        compile_engine(theirs, EngineSettings())


def test_what_only_pretends_has_nothing_to_build() -> None:
    emulated = EmulatedModel(service_times=ServiceTimes.line(1, 1), devices=1, outputs={})
    with pytest.raises(CannotCompileError, match="there is no network to build an engine of"):
        compile_engine(package(emulated=emulated), EngineSettings())
