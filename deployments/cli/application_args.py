"""What `sightline serve` says about the application, checked before anything is started."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from deployments.errors import ServingError
from deployments.settings import ClusterArgs, data_directory


def application_args(models: Sequence[str], workflows: Path | None, text_reader: str | None = None) -> dict[str, Any]:
    """Arguments of the application, to be laid over those of the configuration.

    Args:
        models: folders of model packages, and URLs of them.
        workflows: folder of saved workflows.
        text_reader: model that reads for blocks which name none; None for the one of the configuration.

    Raises:
        ServingError: a folder is not there, or holds nothing that can be served, or there is no such text reader.
    """
    added = data_directory() / "models"
    if added.is_dir():
        _warn_of_broken_added_models(added)
    args: dict[str, Any] = {"added_models_dir": str(added)}
    if models:
        args["models_dir"] = [entry if "://" in entry else _checked_folder(Path(entry)) for entry in models]
    if workflows is not None:
        if not workflows.is_dir():
            raise ServingError(f"there is no directory {workflows}; name one that holds workflow definitions")
        args["ingress"] = {"workflows_dir": str(workflows.resolve())}
    if text_reader is not None:
        from deployments.dataplane.served_models import served_models

        args["text_reader_model"] = text_reader
        served_models(ClusterArgs.model_validate(args))  # says what is wrong with it before anything starts
    return args


def _checked_folder(models: Path) -> str:
    # numpy and more: only for those who need it
    from deployments.models.package_survey import SHIPPED_DIRECTORY, listed, survey_packages

    survey = survey_packages(models)
    if survey.problems:
        broken = f"{models} holds model packages that cannot be served; mend or remove:\n{listed(survey.problems)}"
        replaces_shipped = survey.refused.keys() & survey_packages(SHIPPED_DIRECTORY).packages.keys()
        if not survey.packages or replaces_shipped:
            raise ServingError(broken)
        typer.echo(f"{broken}\nThe others are served; who asks for these is told why not.", err=True)
    if survey.left_out:
        typer.echo(f"served without these, which are for other runtimes:\n{listed(survey.left_out)}", err=True)
    return str(models.resolve())


def _warn_of_broken_added_models(added: Path) -> None:
    from deployments.models.package_survey import listed, survey_packages

    problems = survey_packages(added).problems
    if problems:
        typer.echo(f"these added models are broken; add them again, or remove them:\n{listed(problems)}", err=True)
