"""Which models an endpoint serves, and how each of them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from deployments.errors import ModelTaskError
from deployments.models.errors import ModelPackageError, UnknownModelError
from deployments.models.known_models import KnownModels
from deployments.models.model_id import canonical_model_id
from deployments.models.offer import Offer, offer, with_others
from deployments.models.package import ModelPackage, wrong_task
from deployments.models.package_survey import SHIPPED_DIRECTORY, survey_packages
from deployments.models.pp_ocr.packages import FAMILY as PP_OCR
from deployments.models.pp_ocr.packages import check_installed, pp_ocr_beside
from deployments.models.store.package_store import PackageStore
from deployments.models.store.sources import Source
from deployments.models.tasks import IMAGE_TASKS, READING, Tasks
from deployments.settings import DEFAULT_TEXT_READER, ClusterArgs, EngineSettings, ModelSettings, data_directory
from workflows.definition.nearest import suggest

logger = logging.getLogger(__name__)

COMMON = ModelSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModels:
    """Every model of an endpoint.

    Attributes:
        packages: by id.
        refused: what is wrong with those that cannot be served, by id.
        shipped_ids: of those that come with the project, replaced ones included.
        settings: of single models, by id.
        engine: how networks use the machine where a model does not say.
        text_reader_id: reads for the steps that name no other; None when no model of the name set is there.
    """

    packages: Mapping[str, ModelPackage]
    refused: Mapping[str, ModelPackageError]
    shipped_ids: frozenset[str]
    settings: Mapping[str, ModelSettings]
    engine: EngineSettings
    text_reader_id: str | None = None

    @property
    def known(self) -> KnownModels:
        """The models by their names."""
        return KnownModels.of(self.packages, self.refused)

    @property
    def own_ids(self) -> tuple[str, ...]:
        """Models with a deployment of their own, sorted."""
        return tuple(sorted(name for name, settings in self.settings.items() if settings.has_own_deployment))

    @property
    def batch_items(self) -> dict[str, int]:
        """Most images of one call, by id, where that is set."""
        limits = {model_id: settings.max_batch_items for model_id, settings in self.settings.items()}
        return {model_id: items for model_id, items in limits.items() if items is not None}

    def of(self, model_id: str) -> ModelSettings:
        """Settings of one model."""
        return self.settings.get(model_id, COMMON)

    def engine_of(self, model_id: str) -> EngineSettings:
        """How the engine of one model uses the machine."""
        own = self.of(model_id).engine
        if own is None:
            return self.engine
        return self.engine.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})

    def pinned_ids(self, tasks: Tasks) -> tuple[str, ...]:
        """Models for some tasks that the shared replicas always have.

        They are the shipped ones, those that are pinned, and the one that reads where none is named.
        """
        return tuple(
            model_id
            for model_id, package in self.packages.items()
            if package.task_type in tasks
            and (model_id in {*self.shipped_ids, self.text_reader_id} or self.of(model_id).pinned)
            and not self.of(model_id).has_own_deployment
        )


def served_models(args: ClusterArgs) -> ServedModels:
    """What the arguments of an endpoint say; fetches packages from URLs when they are not here yet.

    Raises:
        ModelPackageError: there is no such folder, or a pinned model cannot be served.
        ModelSourceError: packages cannot be fetched, and never were before.
        UnknownModelError: there are settings of a model that there is not, or a text reader is set that there is not.
        UnsupportedModelError: the text reader needs what is not installed.
        ModelTaskError: what is set as text reader reads no text, or a model is set to what is not for its task.
    """
    offered = _with_pp_ocr(offer(SHIPPED_DIRECTORY, *_directories(args)))
    offered = _emulated_only_on_demand(offered, allowed=args.emulated_accelerators)
    settings = _by_id(args.models, offered)
    return ServedModels(
        packages={model_id: _as_set(package, settings) for model_id, package in offered.packages.items()},
        refused=offered.refused,
        shipped_ids=frozenset(survey_packages(SHIPPED_DIRECTORY).packages),
        settings=settings,
        engine=args.engine,
        text_reader_id=_text_reader_id(args.text_reader_model, offered),
    )


def _as_set(package: ModelPackage, settings: Mapping[str, ModelSettings]) -> ModelPackage:
    """The package as its model's settings would have it."""
    reduced = settings.get(package.model_id, COMMON).reduced_decoding
    if reduced is None:
        return package
    if package.task_type not in IMAGE_TASKS:
        raise ModelTaskError(
            f"models.{package.model_id}: reduced_decoding is for models of whole pictures, and this one is for "
            f"{package.task_type}; leave it out"
        )
    return replace(package, preprocessing=replace(package.preprocessing, reduced_decoding=reduced))


def _with_pp_ocr(offered: Offer) -> Offer:
    return with_others(offered, pp_ocr_beside(offered.packages.keys() | offered.refused.keys()))


def _emulated_only_on_demand(offered: Offer, *, allowed: bool) -> Offer:
    """What pretends to compute is refused unless the server runs for that; said loudly either way."""
    emulated = {model_id: package for model_id, package in offered.packages.items() if package.emulated is not None}
    if not emulated:
        return offered
    logger.warning(
        "EMULATED ACCELERATORS ARE SERVED: their answers are made up"
        if allowed
        else "emulated accelerators are refused: the server does not run with --emulated-accelerators",
        extra={"models": sorted(emulated)},
    )
    if allowed:
        return offered
    return replace(
        offered,
        packages={model_id: each for model_id, each in offered.packages.items() if model_id not in emulated},
        refused=offered.refused | {model_id: emulated_refused(package) for model_id, package in emulated.items()},
    )


def emulated_refused(package: ModelPackage) -> ModelPackageError:
    """What to tell somebody who wants answers of a model that computes nothing."""
    return ModelPackageError(
        f"model {package.model_id!r} is an emulated accelerator: it computes nothing, and its answers are made up; it "
        "is served for measurements alone, by a server that runs with --emulated-accelerators",
        str(package.directory),
    )


def _text_reader_id(name: str, offered: Offer) -> str | None:
    packages = offered.packages
    refused = offered.refused.get(canonical_model_id(name))
    if refused is not None and name != DEFAULT_TEXT_READER:
        raise refused
    named = {each: package for package in packages.values() for each in (package.model_id, *package.aliases)}
    package = named.get(canonical_model_id(name))
    if package is None and name == DEFAULT_TEXT_READER:
        return None
    if package is None:
        readers = sorted(each for each, package in named.items() if package.task_type in READING)
        hint = suggest(name, readers, what="text readers")
        raise UnknownModelError(f"text_reader_model: there is no text reader {name!r}; {hint}", name)
    if package.task_type not in READING:
        raise wrong_task(package, READING)
    if package.architecture == PP_OCR:
        check_installed(package)
    return package.model_id


def _directories(args: ClusterArgs) -> list[Path]:
    added = args.added_models_dir
    directories = [added] if added is not None and added.is_dir() else []
    for entry in args.models_dir:
        if "://" in entry:
            directories.append(PackageStore(args.store_dir or data_directory()).mirror(Source(entry)))
        else:
            directories.append(Path(entry))
    return directories


def _by_id(settings: Mapping[str, ModelSettings], offered: Offer) -> dict[str, ModelSettings]:
    packages = offered.packages
    names = {alias: model_id for model_id, package in packages.items() for alias in package.aliases}
    found: dict[str, ModelSettings] = {}
    for name, each in settings.items():
        canonical = canonical_model_id(name)
        model_id = names.get(canonical, canonical)
        if model_id in offered.refused:
            if each.pinned:
                why = offered.refused[model_id]
                raise ModelPackageError(f"models.{name}: {why.message}", why.path) from why
            continue  # whoever asks for it is told what is wrong; the others are served
        if model_id not in packages:
            raise UnknownModelError(
                f"models.{name}: there is no model {name!r}; {suggest(name, sorted(packages), what='models')}", name
            )
        if model_id in found:
            raise UnknownModelError(f"models.{name}: {model_id!r} has settings already, under another name", name)
        found[model_id] = each
    return found
