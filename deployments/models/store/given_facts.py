"""What a person says about weights that come without a package around them."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from deployments.models.errors import ModelPackageError
from deployments.models.package_layouts.environment import MODEL_TYPE
from deployments.models.package_layouts.model_config import MODEL_CONFIG
from deployments.models.tasks import Task
from workflows.definition.nearest import suggest

CLASS_NAMES = "class_names.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenFacts:
    """What to write beside the files of a source; nothing where None.

    Attributes:
        model_id: what requests call the model, whatever its package says.
        aliases: further names.
        task: such as `object-detection`.
        architecture: such as `yolov8`.
        class_names: a file with one class a line.
    """

    model_id: str | None = None
    aliases: tuple[str, ...] = ()
    task: str | None = None
    architecture: str | None = None
    class_names: Path | None = None

    @property
    def is_for_one(self) -> bool:
        """Whether something is said that can be true of one package only."""
        return self != GivenFacts()

    def write(self, folder: Path) -> None:
        """Complete a package.

        Raises:
            ModelPackageError: the package says those things itself, or they make no sense.
        """
        if self.class_names is not None:
            if not self.class_names.is_file():
                raise ModelPackageError(
                    f"there is no file {self.class_names}; name one with one class a line", str(self.class_names)
                )
            (folder / CLASS_NAMES).unlink(missing_ok=True)
            shutil.copyfile(self.class_names, folder / CLASS_NAMES)
        if self.task is None and self.architecture is None:
            return
        for name in (MODEL_CONFIG, MODEL_TYPE):
            if (folder / name).is_file():
                raise ModelPackageError(
                    f"the package says its task and architecture itself, in {name}; leave --task and --architecture "
                    "out, or change the file",
                    str(folder / name),
                )
        task = self.task or Task.OBJECT_DETECTION
        tasks = sorted(str(known) for known in Task)
        if task not in tasks:
            raise ModelPackageError(f"there is no task {task!r}; {suggest(task, tasks, what='tasks')}", task)
        declared = {"project_task_type": str(task), "model_type": self.architecture}
        (folder / MODEL_TYPE).write_text(json.dumps({key: value for key, value in declared.items() if value}))
