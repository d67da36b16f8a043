"""What stands on plates and in print: registration patterns, captions, words."""

from __future__ import annotations

import random
import string
from functools import lru_cache
from pathlib import Path

from training.plate_formats import fill

SYLLABLES = "가나다라마거너더러머버서어저고노도로모보소오조구누두루무부수우주바사아자배하허호"
VOCABULARY = string.digits + string.ascii_letters.swapcase() + "-.,:/&'%$()#@+!?\"*=_;" + SYLLABLES
SEPARATORS = " -·_"
WORD_LIST = Path("/usr/share/dict/words")
WORD_CHARACTERS_MAX = 18

# L: a letter, D: a digit; everything else stands for itself.
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
NUMBERS = (
    *("DD.DD", "DDD.DD", "$D.DD", "DD/DD/DDDD", "DD:DD", "DD%", "D,DDD", "#DDDD", "+DD-DDDDDD", "DDDD-DD-DD"),
    *("DD.DD.DDDD", "-D.DD", "DDxDD", "DDkg", "DDD,DD", "DD:DD:DD", "xD", "DD/DD"),
)
PUNCTUATED = ("{}",) * 12 + ("{},", "{}.", "{}:", "({})", '"{}"', "{}!", "{}?", "{}'s", "{}-")


def registration(patterns: tuple[str, ...], rng: random.Random) -> str:
    """A registration that follows one of the patterns."""
    return fill(rng.choice(patterns), rng)


def free_registration(rng: random.Random) -> str:
    """One that follows none, so that looks as well as positions tell O from 0."""
    return "".join(fill(rng.choice("LD"), rng) for _ in range(rng.randint(4, 8)))


def korean_registration(rng: random.Random) -> str:
    """Two or three digits, a syllable, four digits."""
    return f"{fill('DD' if rng.random() < 0.5 else 'DDD', rng)}{rng.choice(SYLLABLES)} {fill('DDDD', rng)}"


def without_separators(text: str) -> str:
    """What a plate reader should answer."""
    return "".join(c for c in text if c not in SEPARATORS)


@lru_cache(maxsize=1)
def _words() -> tuple[str, ...]:
    return tuple(word for word in WORD_LIST.read_text(encoding="utf-8").split() if not word.endswith("'s"))


def _serial(rng: random.Random) -> str:
    groups = [fill("".join(rng.choice(("L", "D", "D")) for _ in range(rng.randint(2, 6))), rng)
              for _ in range(rng.randint(1, 3))]  # fmt: skip
    return rng.choice(("", "", "SN", "S/N:", "No.", "#")) + rng.choice(("", "-", "-", ".", "/")).join(groups)


def _cased(word: str, rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.3:
        return word.upper()
    if kind < 0.5:
        return word.capitalize()
    if kind < 0.53:
        return "".join(rng.choice((c.upper(), c.lower())) for c in word)
    return word


def plain_word(rng: random.Random) -> str:
    """A dictionary word of at most 14 characters."""
    word = "".join(c for c in rng.choice(_words()) if c in VOCABULARY)
    return word if 0 < len(word) <= WORD_CHARACTERS_MAX else "and"


def printed_word(rng: random.Random) -> str:
    """A dictionary word, a number, a price, a serial number or a jumble of printable signs."""
    kind = rng.random()
    if kind < 0.55:
        text = _cased(rng.choice(_words()), rng)
        text = rng.choice(("{}",) * 12 + ("{},", "{}.", "{}:", "({})", '"{}"', "{}!", "{}?", "{}'s", "{}-")).format(
            text
        )
    elif kind < 0.58:
        parts = (rng.choice(_words())[:6].lower() for _ in range(2))
        text = rng.choice(("www.{}.com", "{}@mail.com", "{}.pdf", "{}-{}", "{}/{}", "{}&{}")).format(*parts)
    elif kind < 0.65:
        text = fill("D" * rng.randint(1, 10), rng)
    elif kind < 0.77:
        text = fill(rng.choice(NUMBERS), rng)
    elif kind < 0.87:
        text = _serial(rng)
    elif kind < 0.95:
        text = "".join(rng.choice(string.ascii_letters + string.digits) for _ in range(rng.randint(2, 10)))
    else:
        text = "".join(rng.choice(VOCABULARY[: -len(SYLLABLES)]) for _ in range(rng.randint(2, 9)))
    return "".join(c for c in text if c in VOCABULARY)[:WORD_CHARACTERS_MAX] or "a"
