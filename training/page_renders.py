"""Pages seen straight on, every word with its box: letters, columns, receipts, forms, tables, signs, serial plates."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from training.backgrounds import drawn_background, textured
from training.fonts import face_at, word_faces
from training.page_texts import (
    LABELS,
    PLATE_LABELS,
    SHOP_LINES,
    SHOP_WORDS,
    SIGN_WORDS,
    price,
    sentence,
    serial,
    short_words,
)
from training.plate_renders import Colour, Rgb, any_colour, grey
from training.plate_texts import fill, printed_word

Area = tuple[float, float, float, float]  # left, top, right, bottom, pixels


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Word:
    """A printed word.

    Attributes:
        text: what it reads.
        xyxy: (4,) float32, pixels: its ink, and at least the height of an x above its baseline.
        line: the line it stands in, counted down the page.
    """

    text: str
    xyxy: NDArray[np.float32]
    line: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Page:
    """A drawn page.

    Attributes:
        rgb: (h, w, 3) uint8.
        words: in reading order.
    """

    rgb: Rgb
    words: tuple[Word, ...]


class Sheet:
    """Something to print on, and the words printed so far."""

    def __init__(self, rgb: Rgb, ink: Colour, rng: random.Random, unseen: bool) -> None:
        self._image = Image.fromarray(rgb)
        self.draw = ImageDraw.Draw(self._image)
        self.size_wh, self.ink, self.rng = self._image.size, ink, rng
        self._faces, self._words, self._line = word_faces(unseen), [], 0  # type: tuple[str, ...], list[Word], int

    def face(self, size_px: float, path: str | None = None) -> ImageFont.FreeTypeFont:
        """A typeface by lot, or one at another size."""
        return face_at(path or self.rng.choice(self._faces), max(5, round(size_px)))

    def new_line(self) -> None:
        """What is written from here on stands in another line."""
        self._line += 1

    def write(
        self,
        words: Sequence[str],
        at: tuple[float, float],
        face: ImageFont.FreeTypeFont,
        ink: Colour | None = None,
        gap_px: float | None = None,
    ) -> float:
        """Print words from a baseline's left end on; where the last one ends."""
        x, y = at
        gap = max(2.0, face.getlength(" ") if gap_px is None else gap_px)
        low = face.getbbox("x", anchor="ls")[1]
        for text in words:
            left, top, right, bottom = face.getbbox(text, anchor="ls")
            self.draw.text((round(x), round(y)), text, font=face, fill=ink or self.ink, anchor="ls")
            box = np.array([left, min(top, low), right, max(bottom, 0)], np.float32)
            box += np.array([round(x), round(y)] * 2, np.float32)
            self._words.append(Word(text=text, xyxy=box, line=self._line))
            x += face.getlength(text) + gap
        return x - gap

    def finish(self) -> Page:
        """What was printed."""
        return Page(rgb=np.asarray(self._image).copy(), words=tuple(self._words))


def _width(words: Sequence[str], face: ImageFont.FreeTypeFont) -> float:
    return sum(face.getlength(word) for word in words) + max(2.0, face.getlength(" ")) * (len(words) - 1)


def _paragraph(sheet: Sheet, area: Area, size_px: float) -> None:
    """Running text to the end of the area, in paragraphs."""
    rng, (left, top, right, bottom) = sheet.rng, area
    face, leading = sheet.face(size_px), size_px * rng.uniform(1.05, 1.7)
    justified, y, space = rng.random() < 0.3, top + size_px, max(2.0, face.getlength(" "))
    while y < bottom:
        pending, lines = sentence(rng.randint(8, 50), rng), 0
        while pending and y < bottom:
            taken, reach = 0, 0.0
            while taken < len(pending) and (taken == 0 or reach <= right - left):
                reach += face.getlength(pending[taken]) + space
                taken += 1
            if reach - space > right - left and taken > 1:
                taken -= 1
            row, pending = pending[:taken], pending[taken:]
            gap = None
            if justified and pending and taken > 1:
                gap = (right - left - sum(face.getlength(word) for word in row)) / (taken - 1)
            sheet.write(row, (left, y), face, gap_px=gap)
            sheet.new_line()
            y, lines = y + leading, lines + 1
        y += leading * rng.uniform(0.2, 1.2)


def _heading(sheet: Sheet, area: Area, size_px: float) -> float:
    """A heading; where the text below begins."""
    rng, (left, top, right, _) = sheet.rng, area
    face, words = sheet.face(size_px), short_words(rng)
    while len(words) > 1 and _width(words, face) > right - left:
        words.pop()
    x = left if rng.random() < 0.6 else max(left, (left + right - _width(words, face)) / 2)
    sheet.write(words, (x, top + size_px), face, any_colour(rng, 0, 140) if rng.random() < 0.3 else None)
    sheet.new_line()
    return top + size_px * rng.uniform(1.3, 2)


def _letter(sheet: Sheet, area: Area, size_px: float) -> None:
    left, top, right, bottom = area
    if sheet.rng.random() < 0.6:
        top = _heading(sheet, area, size_px * sheet.rng.uniform(1.2, 2.5))
    _paragraph(sheet, (left, top, right, bottom), size_px)


def _columns(sheet: Sheet, area: Area, size_px: float) -> None:
    left, top, right, bottom = area
    if sheet.rng.random() < 0.5:
        top = _heading(sheet, area, size_px * sheet.rng.uniform(1.4, 3))
    gutter, middle = size_px * sheet.rng.uniform(1.2, 3), (left + right) / 2
    _paragraph(sheet, (left, top, middle - gutter / 2, bottom), size_px)
    _paragraph(sheet, (middle + gutter / 2, top, right, bottom), size_px)


def _receipt(sheet: Sheet, area: Area, size_px: float) -> None:
    rng, (left, top, right, bottom) = sheet.rng, area
    paths = [path for path in word_faces() if "Mono" in path or "Inconsolata" in path or "share-tech" in path]
    face = sheet.face(size_px, rng.choice(paths)) if rng.random() < 0.55 else sheet.face(size_px)
    leading, y = size_px * rng.uniform(1.05, 1.6), top
    for _ in range(rng.randint(1, 5)):
        words = rng.choice(SHOP_WORDS).split() if rng.random() < 0.5 else [*short_words(rng), fill("DDD", rng)]
        large = face.font_variant(size=round(size_px * rng.choice((1, 1, 1.5, 2))))
        while len(words) > 1 and _width(words, large) > right - left:
            words.pop()
        y += leading * large.size / size_px
        sheet.write(words, (max(left, (left + right - _width(words, large)) / 2), y), large)
        sheet.new_line()
    y += leading
    while y < bottom:
        if rng.random() < 0.1:
            _rule(sheet, (left, y - size_px * 0.3), right)
        else:
            words = short_words(rng) if rng.random() < 0.75 else rng.choice(SHOP_LINES).split()
            if rng.random() < 0.3:
                words.insert(0, fill(rng.choice(("D", "Dx", "DDDDD", "D x")), rng).replace(" ", ""))
            amount = price(rng)
            while len(words) > 1 and _width([*words, amount], face) > right - left:
                words.pop()
            sheet.write(words, (left, y), face)
            sheet.write([amount], (right - face.getlength(amount), y), face)
            sheet.new_line()
        y += leading


def _rule(sheet: Sheet, at: tuple[float, float], right: float) -> None:
    """A rule, or a row of dashes or dots: no text."""
    (left, y), size = at, sheet.rng.randint(1, 3)
    step = sheet.rng.choice((0, 0, 4, 7))
    if not step:
        sheet.draw.line((left, y, right, y), fill=sheet.ink, width=size)
    for x in np.arange(left, right, step or right):
        sheet.draw.line((x, y, x + max(1, step // 2), y), fill=sheet.ink, width=size)


def _form(sheet: Sheet, area: Area, size_px: float) -> None:
    rng, (left, top, right, bottom) = sheet.rng, area
    label_face, value_face = sheet.face(size_px), sheet.face(size_px * rng.uniform(0.9, 1.4))
    y, boxed, beside = top + size_px, rng.random() < 0.5, rng.random() < 0.5
    room, tone = (right - left) * rng.uniform(0.3, 0.45), any_colour(rng, 0, 170) if rng.random() < 0.3 else sheet.ink
    while y < bottom:
        words = rng.choice(LABELS + PLATE_LABELS).split()
        words[-1] += rng.choice(("", ":", ":"))
        end = sheet.write(words, (left, y), label_face, tone)
        value = short_words(rng) if rng.random() < 0.5 else [printed_word(rng)]
        x, below = (max(left + room, end + size_px), y) if beside else (left + 3, y + size_px * 1.5)
        if boxed:
            frame = (x - size_px * 0.4, below - size_px * 1.15, right, below + size_px * 0.45)
            sheet.draw.rectangle(frame, outline=grey(rng, 0, 150), width=1)
        elif rng.random() < 0.6:
            sheet.draw.line((x, below + size_px * 0.3, right, below + size_px * 0.3), fill=sheet.ink)
        if not beside:
            sheet.new_line()
        if rng.random() < 0.8:
            sheet.write(value, (x, below), value_face)
        sheet.new_line()
        y = below + size_px * rng.uniform(1.8, 2.6)


def _table(sheet: Sheet, area: Area, size_px: float) -> None:
    rng, (left, top, right, bottom) = sheet.rng, area
    face, ruled, y = sheet.face(size_px), rng.random() < 0.6, top + size_px
    columns = max(2, int((right - left) / (size_px * rng.uniform(5, 9))))
    leading, wide = size_px * rng.uniform(1.3, 2.2), (right - left) / columns
    while y < bottom:
        for column in range(columns):
            text = printed_word(rng) if column == 0 or rng.random() < 0.2 else price(rng)
            if face.getlength(text) < wide * 0.92:
                x = left + (column + 0.97) * wide - face.getlength(text) if column else left + 2
                sheet.write([text], (x, y), face)
            if ruled:
                sheet.draw.line((left + column * wide, top, left + column * wide, bottom), fill=sheet.ink)
        if ruled:
            sheet.draw.line((left, y + (leading - size_px) * 0.6, right, y + (leading - size_px) * 0.6), fill=sheet.ink)
        sheet.new_line()
        y += leading


def _sign(sheet: Sheet, area: Area, size_px: float) -> None:
    rng, (left, top, right, bottom) = sheet.rng, area
    face, y = sheet.face(size_px), top
    while y + size_px * 0.8 < bottom:
        words = rng.choice(SIGN_WORDS).split() if rng.random() < 0.6 else short_words(rng)
        while len(words) > 1 and _width(words, face) > right - left:
            words.pop()
        fitted = min(1.0, (right - left) / max(1.0, _width(words, face)))
        row = face.font_variant(size=max(6, int(face.size * fitted)))
        sheet.write(words, (max(left, (left + right - _width(words, row)) / 2), y + row.size * 0.8), row)
        sheet.new_line()
        y += row.size * rng.uniform(1.0, 1.5)
        if rng.random() < 0.35:
            face = sheet.face(size_px * rng.uniform(0.4, 1.0))


def _serial_plate(sheet: Sheet, area: Area, size_px: float) -> None:
    rng, (left, top, right, bottom) = sheet.rng, area
    face, y = sheet.face(size_px), top + size_px
    while y < bottom:
        end = sheet.write([rng.choice(PLATE_LABELS)], (left, y), face.font_variant(size=max(6, int(face.size * 0.8))))
        text = serial(rng) if rng.random() < 0.75 else printed_word(rng).upper()
        sheet.write(text.split(), (end + size_px * rng.uniform(0.4, 1.5), y), face)
        sheet.new_line()
        y += size_px * rng.uniform(1.2, 2.0)
        if rng.random() < 0.12:
            _barcode(sheet, (left, y - size_px * 0.8, min(right, left + size_px * 9), y + size_px))
            y += size_px * 2.5


def _barcode(sheet: Sheet, area: Area) -> None:
    """Bars: no text, though it looks like it."""
    left, top, right, bottom = area
    x = left
    while x < right:
        bar = sheet.rng.randint(1, 4)
        sheet.draw.rectangle((x, top, x + bar - 0.5, bottom), fill=sheet.ink)
        x += bar + sheet.rng.randint(1, 4)


Layout = Callable[[Sheet, Area, float], None]
LAYOUTS: dict[str, tuple[Layout, float, float, float]] = {  # how it is set, its share, smallest and largest type
    "letter": (_letter, 0.34, 9, 30),
    "columns": (_columns, 0.13, 8, 20),
    "receipt": (_receipt, 0.2, 10, 32),
    "form": (_form, 0.13, 9, 28),
    "table": (_table, 0.08, 9, 24),
    "sign": (_sign, 0.13, 18, 120),
    "serial plate": (_serial_plate, 0.09, 11, 44),
}


def paper(size_wh: tuple[int, int], rng: random.Random) -> tuple[Rgb, Colour]:
    """Blank paper, or a board or metal of any colour, and the ink for it."""
    width, height = size_wh
    kind = rng.random()
    ground, ink = grey(rng, 200, 255, 6), grey(rng, 0, 80, 10)
    if kind > 0.85:
        ground, ink = grey(rng, 0, 90, 20), grey(rng, 170, 255, 20)
    elif kind > 0.65:
        ground, ink = any_colour(rng, 130), any_colour(rng, 0, 90)
    elif kind > 0.57:
        ground, ink = any_colour(rng, 0, 120), any_colour(rng, 190)
    rgb = np.empty((height, width, 3), np.uint8)
    rgb[:] = ground
    if rng.random() < 0.3:
        uneven = textured(size_wh, rng.uniform(1, 9), rng)[..., None]
        rgb = np.clip(rgb + uneven, 0, 255).astype(np.uint8)
    return rgb, ink


def _picture(sheet_rgb: Rgb, area: Area, rng: random.Random) -> None:
    """Put a picture without letters on a page, in place."""
    left, top, right, bottom = (round(value) for value in area)
    part = sheet_rgb[max(0, top) : bottom, max(0, left) : right]
    if part.shape[0] > 8 and part.shape[1] > 8:
        part[:] = drawn_background((part.shape[1], part.shape[0]), rng)


def draw_page(
    size_wh: tuple[int, int],
    rng: random.Random,
    layout: str | None = None,
    unseen: bool = False,
    ground: tuple[Rgb, Colour] | None = None,
    scale: float = 1.0,
    type_px: tuple[float, float] | None = None,
) -> Page:
    """Print a page.

    Args:
        size_wh: pixels.
        rng: every choice comes from it.
        layout: one of LAYOUTS; drawn by lot when None.
        unseen: set in faces that are kept out of training.
        ground: what is printed on, and the ink; paper when None.
        scale: by how much type is larger than usual.
        type_px: smallest and largest type; the layout's own when None.
    """
    width, height = size_wh
    layout = layout or rng.choices(list(LAYOUTS), [share for _, share, _, _ in LAYOUTS.values()])[0]
    arrange, _, *usual_px = LAYOUTS[layout]
    smallest, largest = type_px or usual_px
    size_px = scale * math.exp(rng.uniform(math.log(smallest), math.log(largest)))
    rgb, ink = ground or paper(size_wh, rng)
    margin = min(width, height) * rng.uniform(0.02, 0.12)
    area = (margin, margin, width - margin, height - margin)
    if layout in {"letter", "columns", "form"} and rng.random() < 0.15:
        cut = height * rng.uniform(0.2, 0.4)
        rgb = rgb.copy()
        _picture(rgb, (margin, margin, width - margin, cut), rng)
        area = (margin, cut + margin / 2, width - margin, height - margin)
    sheet = Sheet(rgb, ink, rng, unseen)
    arrange(sheet, area, min(size_px, (area[3] - area[1]) * 0.8))
    page = sheet.finish()
    if rng.random() < 0.2:
        cv2.rectangle(page.rgb, (2, 2), (width - 3, height - 3), ink, rng.randint(1, 4))
    return page
