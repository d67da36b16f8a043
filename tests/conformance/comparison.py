"""Compares an answer with a recorded one: what must agree, what is free, and how near numbers and pictures must be."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?")
NAMED_UUID = re.compile(r"uuid#\d+")
LONG_NUMBER = re.compile(r"-?\d+\.\d{5,}(?:e-?\d+)?")
CONTAINERS = {"/9j/": "jpeg", "iVBORw0": "png", "R0lGOD": "gif", "UklGR": "webp"}

RELATIVE_TOLERANCE = 1e-4
MEAN_PIXEL_DIFFERENCE = 2.0
VISIBLE_TILES = 0.005


@dataclass
class Outcome:
    """An answer in normal form.

    Attributes:
        body: `status` and `outputs`, or `status` and `error`; pictures replaced by `{"$image": ...}`, times by `T`.
        pictures: name in a `$image` -> encoded bytes.
    """

    body: dict[str, Any]
    pictures: dict[str, bytes] = field(default_factory=dict)


def outcome_of(status: int, answer: Any) -> Outcome:
    """The normal form of what a server answered."""
    pictures: dict[str, bytes] = {}
    if status == 200 and isinstance(answer, dict) and "outputs" in answer:
        return Outcome({"status": 200, "ok": True, "outputs": normal_form(answer["outputs"], pictures)}, pictures)
    answer = answer if isinstance(answer, dict) else {}
    places = sorted({(str(b.get("block_id")), str(b.get("property_name"))) for b in answer.get("blocks_errors") or []})
    error = {"error_type": answer.get("error_type"), "blocks": [list(place) for place in places]}
    message = str(answer.get("message", answer.get("detail", "")))[:300]
    return Outcome({"status": status, "ok": False, "error": error, "message": message}, pictures)


def normal_form(node: Any, pictures: dict[str, bytes]) -> Any:
    """`node` with times and pictures replaced; the pictures' bytes go into `pictures`."""
    if isinstance(node, dict):
        return {key: normal_form(value, pictures) for key, value in node.items()}
    if isinstance(node, list):
        return [normal_form(value, pictures) for value in node]
    if isinstance(node, str):
        return _picture(node, pictures) or TIME.sub("T", node)
    return node


def _picture(text: str, pictures: dict[str, bytes]) -> dict[str, Any] | None:
    is_uri = text.startswith("data:image/") and ";base64," in text
    payload = text.split(";base64,", 1)[1] if is_uri else text
    container = next((name for start, name in CONTAINERS.items() if payload.startswith(start)), None)
    if container is None or len(payload) < 100:
        return None
    try:
        encoded = base64.b64decode(payload)
    except ValueError:
        return None
    pixels = _stored_pixels(encoded)
    if pixels is None:
        return None
    name = f"{hashlib.sha1(encoded).hexdigest()[:20]}.{container}"
    pictures[name] = encoded
    return {"$image": {"file": name, "shape": list(pixels.shape), "format": container, "data_uri": is_uri}}


def _stored_pixels(encoded: bytes) -> Any:
    return cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_UNCHANGED)


def differences(job: dict[str, Any], expected: dict[str, Any], got: Outcome, pictures_dir: Path) -> list[str]:
    """Where an answer is not the recorded one; empty when they agree.

    Args:
        job: what was asked; may loosen the comparison.
        expected: the recorded answer in normal form.
        got: the answer.
        pictures_dir: folder of the pictures of recorded answers.
    """
    if expected["status"] != got.body["status"]:
        said = "" if got.body["ok"] else f" {got.body['error']['error_type']}: {got.body['message']}"
        return [f"status: expected {expected['status']}, got {got.body['status']}{said}"]
    comparison = Comparison(job, got.pictures, pictures_dir)
    if expected["ok"]:
        comparison.compare(expected["outputs"], got.body["outputs"], "$")
        return comparison.found
    return [
        f"{key}: expected {expected['error'][key]}, got {got.body['error'][key]}"
        for key in ("error_type", "blocks")
        if expected["error"][key] != got.body["error"][key]
    ]


class Comparison:
    """One walk through a recorded answer and a new one, side by side."""

    def __init__(self, job: dict[str, Any], pictures: dict[str, bytes], pictures_dir: Path) -> None:
        self.found: list[str] = []
        self._pictures = pictures
        self._pictures_dir = pictures_dir
        self._tolerance = job.get("tol", RELATIVE_TOLERANCE)
        self._absolute_tolerance = job.get("abs_tol", 0.0)
        self._mean_difference = job.get("pixels", MEAN_PIXEL_DIFFERENCE)
        self._visible_tiles = job.get("blocks", VISIBLE_TILES)
        self._free = [path_pattern(path) for path in job.get("ignore", [])]
        self._tables = [path_pattern(path) for path in job.get("csv", [])]
        self._unordered = [path_pattern(path) for path in job.get("unordered", [])]
        self._names: dict[str, str] = {}
        self._uuids: dict[str, str] = {}

    def compare(self, want: Any, got: Any, path: str) -> None:
        """Note every difference below `path`."""
        if _json_type(want) != _json_type(got):
            self._note(path, f"expected {_short(want)}, got {_short(got)}")
        elif any(pattern.match(path) for pattern in self._free):
            return
        elif isinstance(want, dict):
            self._compare_objects(want, got, path)
        elif isinstance(want, list):
            self._compare_lists(want, got, path)
        elif isinstance(want, str):
            self._compare_texts(want, got, path)
        elif isinstance(want, bool) or want is None:
            if want != got:
                self._note(path, f"expected {want}, got {got}")
        elif not self._near(want, got):
            self._note(path, f"expected {want}, got {got}")

    def _compare_objects(self, want: dict[str, Any], got: dict[str, Any], path: str) -> None:
        if "$image" in want or "$image" in got:
            self._compare_pictures(want.get("$image"), got.get("$image"), path)
            return
        for key in sorted(set(want) ^ set(got)):
            self._note(f"{path}.{key}", "missing" if key in want else f"unexpected, {_short(got[key])}")
        for key in want:
            if key in got:
                self.compare(want[key], got[key], f"{path}.{key}")

    def _compare_lists(self, want: list[Any], got: list[Any], path: str) -> None:
        if any(pattern.match(path) for pattern in self._unordered):
            want, got = sorted(want, key=json.dumps), sorted(got, key=json.dumps)
        if len(want) != len(got):
            self._note(path, f"expected {len(want)} elements, got {len(got)}")
        for index, (a, b) in enumerate(zip(want, got, strict=False)):
            self.compare(a, b, f"{path}[{index}]")

    def _compare_texts(self, want: str, got: str, path: str) -> None:
        if any(pattern.match(path) for pattern in self._tables):
            if _table(want) != _table(got):
                self._note(path, f"rows differ: expected {_short(want)}, got {_short(got)}")
            return
        names = NAMED_UUID.findall(want)
        if names and NAMED_UUID.split(want) == UUID.split(got):
            for name, uuid in zip(names, UUID.findall(got), strict=True):
                if (
                    self._uuids.setdefault(name, uuid.lower()) != uuid.lower()
                    or self._names.setdefault(uuid.lower(), name) != name
                ):
                    self._note(path, f"id {uuid} breaks the one-to-one naming with {name}")
            return
        if want == got:
            return
        numbers = zip(LONG_NUMBER.findall(want), LONG_NUMBER.findall(got), strict=False)
        are_near = all(self._near(float(a), float(b)) for a, b in numbers)
        if are_near and LONG_NUMBER.split(want) == LONG_NUMBER.split(got):
            return
        self._note(path, f"expected {_short(want)}, got {_short(got)}")

    def _compare_pictures(self, want: dict[str, Any] | None, got: dict[str, Any] | None, path: str) -> None:
        if want is None or got is None:
            self._note(path, "picture on one side only")
            return
        for key in ("shape", "format", "data_uri"):
            if want[key] != got[key]:
                self._note(path, f"picture {key}: expected {want[key]}, got {got[key]}")
        if want["shape"] != got["shape"]:
            return
        recorded = _stored_pixels((self._pictures_dir / want["file"]).read_bytes())
        mean, visible = picture_difference(recorded, _stored_pixels(self._pictures[got["file"]]))
        if mean > self._mean_difference:
            self._note(path, f"pixels differ by {mean:.2f} on average")
        elif visible > self._visible_tiles:
            self._note(path, f"{visible:.1%} of the 8x8 tiles differ visibly (mean over all pixels {mean:.2f})")

    def _near(self, a: float, b: float) -> bool:
        return abs(a - b) <= max(self._absolute_tolerance, self._tolerance * max(1.0, abs(a)))

    def _note(self, path: str, text: str) -> None:
        self.found.append(f"{path}: {text}")


def picture_difference(a: Any, b: Any) -> tuple[float, float]:
    """Mean absolute difference, and the share of 8x8 tiles whose own mean exceeds 16.

    The tiles catch a missing thin line, which hardly moves the mean of the whole picture. One such tile is forgiven.
    """
    difference = np.abs(a.astype(np.int16) - b.astype(np.int16))
    difference = difference if difference.ndim == 2 else difference.mean(axis=2)
    height, width = (-(-side // 8) * 8 for side in difference.shape)
    margins = ((0, height - difference.shape[0]), (0, width - difference.shape[1]))
    tiles = np.pad(difference, margins, mode="edge").reshape(height // 8, 8, width // 8, 8).mean(axis=(1, 3))
    return float(difference.mean()), max(0, int((tiles > 16).sum()) - 1) / tiles.size


def path_pattern(path: str) -> re.Pattern[str]:
    """`$[*].a.*..b` as a regular expression: `[*]` any index, `.*` any key, `..x` key x at any depth."""
    out, at = "", 1
    while at < len(path):
        if path.startswith("[*]", at):
            out, at = out + r"\[\d+\]", at + 3
        elif path.startswith("..", at):
            out, at = out + r".*\.", at + 2
        elif path.startswith(".*", at):
            out, at = out + r"\.[^.\[]+", at + 2
        else:
            out, at = out + re.escape(path[at]), at + 1
    return re.compile(r"\$" + out + r"\Z")


def _json_type(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "number"
    return type(value).__name__


def _table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def _short(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 90 else text[:87] + "..."
