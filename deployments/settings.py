"""What a person may set, one model for each part; every key is checked."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

MEBIBYTE = 1024 * 1024


class IngressSettings(BaseModel):
    """What the HTTP door accepts, and where it finds saved workflows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_body_bytes: int = Field(default=20 * MEBIBYTE, gt=0, description="Largest request body.")
    max_pixels: int = Field(default=64_000_000, gt=0, description="Most pixels of one image.")
    max_images: int = Field(default=64, gt=0, description="Most images in one request, nested ones counted.")
    max_crops_per_step: int = Field(default=512, gt=0, description="Most elements a step may make for one request.")
    max_steps: int = Field(default=100, gt=0, description="Most steps in one definition.")
    default_timeout_s: float = Field(default=60.0, gt=0, description="Time for a request that names none.")
    max_timeout_s: float = Field(default=600.0, gt=0, description="Longest time a request may ask for.")
    workflows_dir: Path | None = Field(default=None, description="Folder of saved definitions; none when absent.")
    url_images: bool = Field(default=True, description="Whether images may be named by an https URL.")
    url_allowed_hosts: tuple[str, ...] | None = Field(
        default=None, description="Hosts images may come from, `*.` for subdomains; all public ones when absent."
    )
    url_denied_hosts: tuple[str, ...] = Field(default=(), description="Hosts images may not come from.")
    url_timeout_s: float = Field(default=10.0, gt=0, description="Time to fetch one image.")
    log_requests: bool = Field(default=True, description="Whether each request leaves one line at INFO.")
