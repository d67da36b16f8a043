"""What a server offers: the models that can be loaded, and those that it refuses and why."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deployments.models.errors import ModelPackageError
from deployments.models.package import ModelPackage
from deployments.models.package_survey import alias_problems, survey_packages

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Models by id.

    Attributes:
        packages: what can be loaded.
        refused: what is wrong with those that cannot; they are never mistaken for another model of the same id.
    """

    packages: dict[str, ModelPackage]
    refused: dict[str, ModelPackageError]


def offer(*directories: Path) -> Offer:
    """What is in all directories; a later one replaces what an earlier one calls the same, broken or not.

    A package that breaks while servers run takes none of them down, nor keeps a new replica from starting.

    Raises:
        ModelPackageError: there is no such directory.
    """
    packages: dict[str, ModelPackage] = {}
    refused: dict[str, ModelPackageError] = {}
    for directory in directories:
        survey = survey_packages(directory)
        for model_id in survey.packages.keys() | survey.refused.keys():
            packages.pop(model_id, None)
            refused.pop(model_id, None)
        packages |= survey.packages
        refused |= survey.refused
        for package in survey.left_out:
            logger.warning("a model package is left out", extra={"package": package.path, "reason": package.message})
    for model_id, problem in _taken_aliases(packages).items():
        del packages[model_id]
        refused[model_id] = problem
    for model_id, error in refused.items():
        logger.warning(
            "a model package is refused", extra={"model_id": model_id, "package": error.path, "reason": error.message}
        )
    return Offer(packages=packages, refused=refused)


def with_others(offered: Offer, others: Mapping[str, ModelPackage]) -> Offer:
    """With models that every server has; who calls itself like one of them is refused.

    Args:
        offered: what directories offer.
        others: by id, none of which is offered; they have their names first.
    """
    refused = _taken_aliases({**others, **offered.packages})
    for model_id, problem in refused.items():
        logger.warning("a model package is refused", extra={"model_id": model_id, "reason": problem.message})
    packages = {model_id: each for model_id, each in offered.packages.items() if model_id not in refused}
    return Offer(packages={**packages, **others}, refused=offered.refused | refused)


def _taken_aliases(packages: Mapping[str, ModelPackage]) -> dict[str, ModelPackageError]:
    """By id, those that call themselves what means another one."""
    problems = {problem.path: problem for problem in alias_problems(packages)}
    found = {model_id: problems.get(str(package.directory)) for model_id, package in packages.items()}
    return {model_id: problem for model_id, problem in found.items() if problem is not None}
