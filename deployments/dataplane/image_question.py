"""What is asked of a model about one image."""

from __future__ import annotations

from dataclasses import dataclass

from deployments.models.tasks import Tasks
from workflows.ports import PredictionOptions
from workflows.values.image import Image


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImageQuestion:
    """One image for a model of whole pictures.

    Attributes:
        image: how it travels is its own to say.
        tasks: what the asker can take an answer of; a model for something else refuses the question.
        options: how the network's output becomes the answer.
    """

    image: Image
    tasks: Tasks
    options: PredictionOptions
