"""How registrations are put together, country by country: where letters stand, which ones, and where digits.

The position tells O from 0 and I from 1 where the lettering does not, and a recognizer learns that only from texts that
keep to the formats. Old and new formats, and those of several regions, stand side by side.
"""

from __future__ import annotations

import random
import string
from dataclasses import dataclass

ALL = string.ascii_uppercase
HARD_LETTERS = "MWHNOQDVYKXBZSG"  # these were mistaken for one another most
HARD_DIGITS = "00318625"


def _without(letters: str) -> str:
    return "".join(letter for letter in ALL if letter not in letters)


@dataclass(frozen=True, slots=True, kw_only=True)
class NationalFormat:
    """Registrations of one country.

    Attributes:
        patterns: L is a letter, D a digit, @ a district; all else stands for itself. A space is a gap.
        letters: what an L may be.
        weight: how often it is drawn.
        districts: what an @ may be, separated by spaces; other letters of the same number when it is empty.
    """

    patterns: str
    letters: str = ALL
    weight: float = 1.0
    districts: str = "AB CD"


NATIONAL = {
    "D": NationalFormat(
        patterns="@_LL DDDD,@_L DDDD,@_LL DDD,@_L DDD,@_LL DD",
        weight=4,
        districts=(
            "A AC B BA BB BI BM BN BO BS BT C CE D DA DD DE DN DO DU E EF EL EM EN ER ES F FB FD FF FN FR FS G GI "
            "GM GP GT H HA HB HD HE HF HG HH HI HL HM HN HO HR HS HU HX IN IZ J K KA KB KE KI KL KN KO KR KS L LB "
            "LD LG LI LL LM LU M MA MD ME MH MI MK MM MO MR MS MTK MW MYK MZ N NB ND NE NI NM NOM NR NW OA OB OF OG "
            "OH OL OS P PA PB PF PI R RA RE RO RT RV RW S SB SE SG SI SK SL SM SO SP ST SU SW TR UL UN V VB VS W "
            "WAF WI WL WM WN WO WOB WT WW Z ZW"
        ),
    ),
    "SK": NationalFormat(
        patterns="@_DDDLL",
        weight=4,
        districts=(
            "BA BL BB BN BJ BR BS BY CA DK DS DT GA GL HC HE IL KA KE KK KM KN KS LC LE LM LV MA MI ML MT MY NM NO "
            "NR NZ PB PD PE PK PN PO PP PT PU PV RA RK RS RV SA SB SC SE SI SK SL SN SO SP SV TN TO TR TS TT TV VK "
            "VT ZA ZC ZH ZM ZV"
        ),
    ),
    "CZ": NationalFormat(patterns="DLD DDDD,DLD DDDD,DLD DDDD,DLL DDDD,LL DD-DD", letters=_without("GOQW"), weight=3),
    "PL": NationalFormat(
        patterns="@ DDDDD,@ DDDDL,@ DDDLL,@L DDDD,@L LDDD,@L DDLL,@L LLDD,@L LDDL,@L DDLD",
        letters=_without("BDIOZQ"),
        weight=3,
        districts=(
            "BI BS CB CG CT DB DJ DL DW EL EP FG FZ GA GD GS GW KN KR KT KW LB LU LZ NE NO OP PK PL PO PZ RK RP RZ "
            "SB SC SG SK SO ST SW SZ TK TS WA WB WE WF WI WM WN WO WP WR WU WW WX WY WZ ZK ZS"
        ),
    ),
    "F": NationalFormat(patterns="LL-DDD-LL,LL-DDD-LL,DDD LLL DD,DDDD LL DD", letters=_without("IOU"), weight=2),
    "I": NationalFormat(patterns="LL DDDLL,LL DDDLL,LL DDDDDD", letters=_without("IOUQ"), weight=2),
    "E": NationalFormat(
        patterns="DDDD LLL,DDDD LLL,@-DDDD-LL,@-DDDD-L",
        letters=_without("AEIOUQ"),
        weight=2,
        districts="A AL B BI C CA CO GI GR J M MA MU NA O OU PO S SE SS T TO V VA Z",
    ),
    "HU": NationalFormat(patterns="LLL-DDD,LLL-DDD,LL LL-DDD"),
    "RO": NationalFormat(
        patterns="@ DD LLL,@ DD LLL,B DDD LLL",
        letters=_without("Q"),
        weight=2,
        districts=(
            "AB AG AR B BC BH BN BR BT BV BZ CJ CL CS CT CV DB DJ GJ GL GR HD HR IF IL IS MH MM MS NT OT PH SB SJ "
            "SM SV TL TM TR VL VN VS"
        ),
    ),
    "GB": NationalFormat(patterns="LLDD LLL,LLDD LLL,LDDD LLL,LDD LLL,LLL DDDL", letters=_without("IQ"), weight=2),
    "A": NationalFormat(
        patterns="@_DDDLL,@_DDDDL,@_DDLLL,@_DDLL,@_DLLL",
        weight=2,
        districts=(
            "AM B BA BL BM BN BR BZ DL DO EF EU FE FF FK G GB GD GF GM GR GS GU HA HB HF HL HO I IL IM JE JO JU K "
            "KB KI KL KO KR KS KU L LA LB LE LF LI LL LN LZ MA MD ME MI MT MU ND NK OP OW P PE PL RA RE RI S SB SD "
            "SE SL SP SR ST SV SW SZ TA TU UU VB VI VK VL VO W WB WE WL WN WO WT WU WY WZ ZE ZT"
        ),
    ),
    "CH": NationalFormat(
        patterns="@·DDDDDD,@ DDDDDD,@ DDDDD,@·DDDDD",
        weight=1.5,
        districts="AG AI AR BE BL BS FR GE GL GR JU LU NE NW OW SG SH SO SZ TG TI UR VD VS ZG ZH",
    ),
    "NL": NationalFormat(
        patterns="DD-LL-LL,DD-LLL-D,LL-DDD-L,L-DDD-LL,D-LLL-DD,LL-LL-DD,LL-DD-LL,LLL-DD-L",
        letters=_without("AEIOUQCMW"),
        weight=2,
    ),
    "SI": NationalFormat(patterns="@_LL-DDD,@_DD-LLL,@_LD-DDL,@_D-DDLL", districts="CE GO KK KP KR LJ MB MS NM PO SG"),
    "HR": NationalFormat(
        patterns="@_DDDD-LL,@_DDD-LL,@_DDD-L",
        weight=2,
        districts="BJ BM CK DA DE DJ DU GS IM KA KC KR KT KZ MA NA NG OG OS PU PZ RI SB SK SL ST SI VK VT VU VZ ZD ZG",
    ),
    "RS": NationalFormat(patterns="@_DDD-LL,@_DDDD-LL", districts="BG NS NI KG SU ZR PA LO SM VR BP", weight=0.7),
    "BG": NationalFormat(
        patterns="@ DDDD LL",
        letters="ABEKMHOPCTYX",
        districts="A B BH CA CB CH E EB EH H K KH M OB P PA PB PK PP T TX X Y",
    ),
    "GR": NationalFormat(patterns="LLL-DDDD", letters="ABEZHIKMNOPTYX"),
    "UA": NationalFormat(patterns="LL DDDD LL", letters="ABEIKMHOPCTX"),
    "RUS": NationalFormat(patterns="L DDD LL DD,L DDD LL DDD", letters="ABEKMHOPCTYX", weight=0.7),
    "LT": NationalFormat(patterns="LLL DDD", letters=_without("QWX")),
    "LV": NationalFormat(patterns="LL-DDDD,LL-DDD", letters=_without("QWXY"), weight=0.5),
    "EST": NationalFormat(patterns="DDD LLL", letters=_without("QIO"), weight=0.5),
    "DK": NationalFormat(patterns="LL DD DDD", letters=_without("IQOW"), weight=0.7),
    "S": NationalFormat(patterns="LLL DDD,LLL DDL", letters=_without("IQVO"), weight=0.7),
    "N": NationalFormat(patterns="LL DDDDD", letters=_without("IOQMGW"), weight=0.7),
    "FIN": NationalFormat(patterns="LLL-DDD,LLL-DD", weight=0.7),
    "P": NationalFormat(patterns="DD-LL-DD,DD-DD-LL,LL-DD-LL,LL-DD-DD", weight=1),
    "B": NationalFormat(patterns="D-LLL-DDD,D-LLL-DDD,LLL-DDD,DDD-LLL", weight=1.5),
    "L": NationalFormat(patterns="LL DDDD,DDDDD", weight=0.5),
    "IRL": NationalFormat(patterns="DDD-L-DDDDD,DDD-L-DDDD,DD-L-DDDDD,DD-LL-DDDD", weight=0.5),
    "TR": NationalFormat(patterns="DD LLL DDD,DD LL DDD,DD LL DDDD,DD L DDDD", letters=_without("QWX"), weight=0.7),
    "MK": NationalFormat(patterns="LL_DDDD-LL,LL DDD-LL", weight=0.5),
    "BIH": NationalFormat(patterns="LDD-L-DDD", letters="AEJKMOT", weight=0.7),
    "MNE": NationalFormat(patterns="@_LLDDD", districts="AN BA BD BP CT DG HN KO NK PG PL PV RO TV UL", weight=0.4),
    "BY": NationalFormat(patterns="DDDD LL-D", letters="ABEIKMHOPCTX", weight=0.4),
}


def fill(pattern: str, rng: random.Random, letters: str = ALL) -> str:
    """A text that follows a pattern of L and D; what is mistaken most is drawn more often."""
    hard = [letter for letter in HARD_LETTERS if letter in letters]
    pools = {"L": (letters, hard or letters), "D": (string.digits, HARD_DIGITS)}
    return "".join(rng.choice(pools[c][rng.random() < 0.3]) if c in pools else c for c in pattern)


def national_registration(rng: random.Random) -> tuple[str, str]:
    """A country's sign and a registration of that country; `_` is a gap wide enough for a seal."""
    countries = list(NATIONAL)
    country = rng.choices(countries, [NATIONAL[each].weight for each in countries])[0]
    form = NATIONAL[country]
    district = rng.choice(form.districts.split())
    if rng.random() < 0.3:  # codes come and go, and those of other countries are not listed here
        district = fill("L" * len(district), rng)
    pattern = rng.choice(form.patterns.split(",")).replace("@", "@" * len(district))
    text = fill(pattern, rng, form.letters)
    return country, text.replace("@" * len(district), district, 1)
