"""Money, exact to the last digit: integers of 1/10,000 of the currency unit, decimal strings at the edge.

Also used for ratings, which have at most four places too. A float appears only where JSON gives one:
a JSON number of at most 15 significant digits names its nearest double and no other such number shares it
(IEEE 754-2008, 5.12.2), so rounding to the grid and comparing back tells exactly whether the number lies on it.
"""

from __future__ import annotations

from decimal import Decimal

SCALE = 10_000
TEXT_PATTERN = r"^[0-9]{1,11}(\.[0-9]{1,4})?$"  # 15 significant digits at most
TEXT_FORM = "a decimal of at most 11 digits and 4 places"
MAX_PRICE = 10_000_000
MAX_AMOUNT = 99_999_999_999


def from_decimal(value: Decimal) -> int:
    """Units of 1/10,000 in `value`.

    Raises ValueError where `value` has more than four places or is not finite.
    """
    if not value.is_finite():
        raise ValueError(f"{value} is not a number")
    scaled = value.scaleb(4)
    units = int(scaled)
    if units != scaled:
        raise ValueError(f"{value} has more than 4 decimal places")
    return units


def from_text(text: str) -> int:
    """Units of 1/10,000 in a decimal string such as `"74.69"`; ValueError where it is none."""
    try:
        return from_decimal(Decimal(text))
    except ArithmeticError:
        raise ValueError(f"{text!r} is not a decimal number") from None


def to_decimal(units: int) -> Decimal:
    """The exact decimal of `units` of 1/10,000."""
    return Decimal(units).scaleb(-4)


def to_text(units: int) -> str:
    """The shortest decimal string of `units` of 1/10,000: `3229667490` is `"322966.749"`."""
    whole, part = divmod(abs(units), SCALE)
    sign = "-" if units < 0 else ""
    return f"{sign}{whole}.{part:04d}".rstrip("0") if part else f"{sign}{whole}"


def ratio(numerator: int, denominator: int, places: int) -> Decimal:
    """`numerator / denominator` rounded half-even to `places`; any whole numbers, `denominator` positive."""
    return Decimal(share(10**places, numerator, denominator)).scaleb(-places)


def divide(units: int, by: int, places: int = 6) -> str:
    """`units` of 1/10,000 divided by `by`, as a decimal string rounded half-even to `places`."""
    text = f"{ratio(units, by * SCALE, places):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def share(units: int, numerator: int, denominator: int) -> int:
    """`units * numerator / denominator`, rounded half-even to a whole unit; all whole, `denominator` positive."""
    quotient, remainder = divmod(units * numerator, denominator)
    twice = 2 * remainder
    return quotient + (twice > denominator or (twice == denominator and quotient % 2 == 1))
