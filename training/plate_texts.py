"""What stands on plates and in print: registration patterns, captions, words."""

from __future__ import annotations

import random
import string
from functools import lru_cache
from pathlib import Path

SYLLABLES = "가나다라마거너더러머버서어저고노도로모보소오조구누두루무부수우주바사아자배하허호"
VOCABULARY = string.digits + string.ascii_letters.swapcase() + "-.,:/&'%$()#@+!?\"*=_;" + SYLLABLES
SEPARATORS = " -·"
LETTERS = string.ascii_uppercase + "MWHNVYKX"  # these were mistaken for one another most
DIGITS = string.digits + "0368"
WORD_LIST = Path("/usr/share/dict/words")
WORD_CHARACTERS_MAX = 14

# L: a letter, D: a digit; everything else stands for itself.
EUROPEAN = (
    *("LL DD LLL", "LL DD LLL", "L DDD LLL", "L DD LLL", "LL LL DDDD", "L LL DDD", "LLL L DD", "L L DDDD", "LL L DDD"),
    *("DLD DDDD", "DLD DDDD", "LL-DDDLL", "LL DDDLL", "LL DDDLL", "LL DDDDD", "LLL DDDD", "LLL LDDD", "LL DDDDL"),
    *("LLL-DDD", "LLL DDD", "LL-DDD-LL", "LL DDDLL", "DDDD LLL", "LLDD LLL", "DD-LLL-D", "LL-DDD-L", "L-DDD-LL"),
    *("L DDDDDL", "LL DDDLL", "LLL DDD", "LL-DDDD", "LL DDD-LL", "L DDDD LL", "LL DDDD LL", "LL DDDDDD", "LL DD DDD"),
    *("D-LLL-DDD", "DD-LL-DD", "LL-DD-DD", "DDD-L-DDDDD", "DD LLL DD", "DD LL DDD", "LDDDLLDD", "DLL DDDD", "LDDDDDD"),
)
AMERICAN = (
    *("LLL DDDD", "LLL-DDDD", "DLLLDDD", "DLLLDDD", "DDD LLL", "DDD-LLL", "LLL DDD", "LLLDDDD", "LLL LDD", "LLLDLDD"),
    *("DLD DDDD", "DDDDLL", "LLDDDLL", "LLDD DLL", "DDLLDD", "LDDDDD", "DDDDDDD", "LL DDDDD", "LLLLLL", "DDD DDD"),
    *("LDD LLL", "LLDDDD", "DDD DLL", "LLL DLD", "DLDDDDD"),
)
BRAZILIAN = ("LLL-DDDD", "LLL·DDDD", "LLLDLDD", "LLL DDDD")
OTHERS = (
    *("LL DD LL DDDD", "LL DD L DDDD", "LLDDLLDDDD", "LLL-DDD", "LLDDLL", "DLLDDD", "DDDDL", "LLL DDDDL"),
    "D-DDDDD-DD",
)
CAPTIONS = (
    *("CALIFORNIA", "TEXAS", "Illinois", "Florida", "OHIO", "New York", "Arizona", "GEORGIA", "BRASIL", "Colorado"),
    *("NEVADA", "OREGON", "Virginia", "MICHIGAN", "Utah", "Washington", "SP-SAO PAULO", "RJ-RIO DE JANEIRO", "QUEBEC"),
)
SLOGANS = (
    *("Lone Star State", "Sunshine State", "Garden State", "Empire State", "Grand Canyon State", "MOTORS", "AUTO"),
    *("www.cars.example", "AUTOHAUS", "Pure Michigan", "Great Lakes", "Je me souviens", "0800 555 010", "GARAGE"),
)
SIGNS = (
    *("STOP", "Auto", "www.shop.example", "SALE", "turbo", "Police", "TDI", "50", "4x4", "Taxi", "AIRBAG", "EXIT"),
    "P",
)
NUMBERS = ("DD.DD", "DDD.DD", "$D.DD", "DD/DD/DDDD", "DD:DD", "DD%", "D,DDD", "#DDDD", "+DD-DDDDDD")


def fill(pattern: str, rng: random.Random) -> str:
    """A text that follows a pattern of L and D."""
    return "".join(rng.choice(LETTERS) if c == "L" else rng.choice(DIGITS) if c == "D" else c for c in pattern)


def registration(patterns: tuple[str, ...], rng: random.Random) -> str:
    """A registration; one in six follows no pattern, so that looks, not positions, tell O from 0."""
    if rng.random() < 0.16:
        return "".join(rng.choice(LETTERS + DIGITS) for _ in range(rng.randint(4, 8)))
    return fill(rng.choice(patterns), rng)


def korean_registration(rng: random.Random) -> str:
    """Two or three digits, a syllable, four digits."""
    return f"{fill('DD' if rng.random() < 0.5 else 'DDD', rng)}{rng.choice(SYLLABLES)} {fill('DDDD', rng)}"


def without_separators(text: str) -> str:
    """What a plate reader should answer."""
    return "".join(c for c in text if c not in SEPARATORS)


@lru_cache(maxsize=1)
def _words() -> tuple[str, ...]:
    return tuple(WORD_LIST.read_text(encoding="utf-8").split())


def printed_word(rng: random.Random) -> str:
    """A dictionary word, a number, a price, a serial number or a jumble of printable signs."""
    kind = rng.random()
    if kind < 0.45:
        text = rng.choice(_words())
    elif kind < 0.6:
        text = fill("D" * rng.randint(1, 8), rng)
    elif kind < 0.72:
        text = fill(rng.choice(NUMBERS), rng)
    elif kind < 0.86:
        text = "".join(rng.choice(string.ascii_letters + string.digits) for _ in range(rng.randint(2, 10)))
    else:
        text = "".join(rng.choice(VOCABULARY[: -len(SYLLABLES)]) for _ in range(rng.randint(2, 9)))
    if rng.random() < 0.35:
        text = text.upper()
    elif rng.random() < 0.3:
        text = text.capitalize()
    return "".join(c for c in text if c in VOCABULARY)[:WORD_CHARACTERS_MAX] or "a"
