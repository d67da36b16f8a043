"""The outputs a document may declare."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class JsonField(BaseModel):
    """One key of every result."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    type: Literal["JsonField"]
    name: str = Field(description="Key in the response, unique in the workflow.")
    selector: str = Field(
        description="What is answered: an input, one output of a step, or all of them as `$steps.<step>.*`.",
    )
    coordinates_system: Literal["parent", "own"] = Field(
        default="parent", description="Whether detections are moved into the frame of the uploaded image."
    )
