"""How the maps of each text detection architecture are read. A new one is one row here."""

from __future__ import annotations

from deployments.models.text_detection.map_reading import MapReading

DB = MapReading(pixel_threshold=0.3, region_threshold=0.1, unclip_ratio=1.5)
LINKNET = MapReading(pixel_threshold=0.1, region_threshold=0.1, unclip_ratio=1.5)
FAST = MapReading(pixel_threshold=0.1, region_threshold=0.1, unclip_ratio=1.0)

PP_OCR_DB = MapReading(pixel_threshold=0.3, region_threshold=0.5, unclip_ratio=1.6, joins_gaps=True)
"""Source: rapidocr 3.10, config.yaml and ch_ppocr_det/utils.py (behaviour)."""

ARCHITECTURES: dict[str, MapReading] = {
    "db_resnet34": DB,
    "db_resnet50": DB,
    "db_mobilenet_v3_large": DB,
    "linknet_resnet18": LINKNET,
    "linknet_resnet34": LINKNET,
    "linknet_resnet50": LINKNET,
    "fast_tiny": FAST,
    "fast_small": FAST,
    "fast_base": FAST,
    "pp_ocr_db": PP_OCR_DB,
}
"""By the `model_architecture` of a package. Source of docTR's: docTR 1.1, models/detection (behaviour)."""
