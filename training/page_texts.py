"""What stands on letters, receipts, forms, tables, signs and serial plates."""

from __future__ import annotations

import random

from training.plate_texts import fill, plain_word, printed_word

LABELS = (
    *("Name", "Address", "Date", "Phone", "Total", "Signature", "Order no.", "Invoice", "Customer", "Account", "Tax"),
    *("First name", "Date of birth", "City", "Postal code", "Country", "E-mail", "Reference", "Amount due", "Unit"),
)
PLATE_LABELS = (
    *("S/N", "MODEL", "TYPE", "SERIAL NO.", "P/N", "VOLTS", "Hz", "kW", "DATE", "MADE IN", "INPUT", "OUTPUT", "LOT"),
    *("REF", "CLASS", "IP", "MAX.", "kg", "BATCH", "REV."),
)
SHOP_LINES = ("TOTAL", "SUBTOTAL", "CASH", "CHANGE", "VAT", "TAX", "VISA", "BALANCE DUE", "DISCOUNT", "CARD")
SHOP_WORDS = (
    *("THANK YOU", "RECEIPT", "Welcome", "STORE", "MARKET", "CAFE", "Tel.", "Please come again", "CUSTOMER COPY"),
    *("Table", "Server", "Order", "Cashier", "Terminal"),
)
SIGN_WORDS = (
    *("EXIT", "NO PARKING", "OPEN", "CLOSED", "SALE", "PUSH", "PULL", "CAUTION", "WET FLOOR", "PRIVATE PROPERTY"),
    *("STOP", "ONE WAY", "SPEED LIMIT", "TICKETS", "PARKING", "FOR RENT", "DANGER HIGH VOLTAGE", "Platform", "Gate"),
    *("KEEP OUT", "Reception", "Please ring the bell", "Office hours", "Mon - Fri", "24 h", "Welcome", "PHARMACY"),
)
SERIALS = ("DDDDDDDD", "LLDDDDDD", "LDD-DDDD-LL", "LLL-DDDDDL", "DDLLDDDDDDDL", "DDDD-DD", "LDDDDL", "DDD V", "DD.D A")


def sentence(count: int, rng: random.Random) -> list[str]:
    """Words of running text, with capitals and punctuation."""
    words = [plain_word(rng) if rng.random() < 0.85 else printed_word(rng) for _ in range(count)]
    for at, word in enumerate(words):
        if at == 0 or words[at - 1][-1:] in ".!?":
            words[at] = word = word[:1].upper() + word[1:]
        if rng.random() < 0.14 or at == count - 1:
            words[at] = word + rng.choice((".", ".", ",", ",", ":", ";", "!", "?"))
    return words


def short_words(rng: random.Random) -> list[str]:
    """One to three words of a heading, an article or a name."""
    words = [plain_word(rng) for _ in range(rng.randint(1, 3))]
    kind = rng.random()
    if kind < 0.35:
        return [word.upper() for word in words]
    return [word.capitalize() for word in words] if kind < 0.7 else words


def price(rng: random.Random) -> str:
    """An amount of money."""
    return fill(rng.choice(("D.DD", "DD.DD", "DD.DD", "DDD.DD", "$D.DD", "$DD.DD", "D,DDD.DD", "D,DD")), rng)


def serial(rng: random.Random) -> str:
    """A serial number."""
    return fill(rng.choice(SERIALS), rng)
