"""How large the parts of what clients send may be: as large as our arrays and answers can hold, and no larger."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

LONGEST_NAME = 512
"""Characters of a class name or identity; an array of texts gives every row the room of the longest."""
MAX_DETECTIONS = 10_000
"""Detections of one image."""
MAX_MASK_PIXELS = 1 << 28
"""Pixels of all masks of one image's detections: 256 MiB, 129 masks of a Full HD image. As many are computed for all
elements of a request, where of each mask only the part of the image counts that holds it."""
QUICK_MASK_PIXELS = 1 << 24
"""Pixels of masks that are computed within a tenth of a second, when each fills its image."""
MAX_KEY_POINTS = 1_000_000
"""Key points of one image's detections, when each detection has as many as the one with most."""
MAX_TEXT_CHARACTERS = 1 << 24
"""Characters of one array of texts, every row as long as the longest: 64 MiB."""

Name = Annotated[str, Field(max_length=LONGEST_NAME)]
Contents = Annotated[str, Field(max_length=8192)]
"""What a QR or bar code says; the longest QR code says 7,089 digits."""
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Coordinate = Annotated[float, Field(strict=True, ge=-(2**29), le=2**29)]
"""Pixels; what is drawn there must still be reached with 32 bits."""
Integer = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Pixels = Annotated[int, Field(ge=-(2**31), lt=2**31)]
