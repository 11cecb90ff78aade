"""POST /v1/housing/predict as it is sent and as it is answered: what may be in it, and what is wrong where.

The model itself is not needed here: `tidemark/housing/serving.py` answers.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from tidemark.errors import BadRequest, TooLarge
from tidemark.housing.columns import BY_NAME, CATEGORY
from tidemark.sale import explain, lone_surrogate, read_leniently

MAX_BLOCKS = 500
MAX_EXPLAINED = 20
MAX_BODY_BYTES = 1_048_576
MAX_WORDS = 300  # of what was sent, an error repeats no more

Ocean = Literal["<1H OCEAN", "INLAND", "ISLAND", "NEAR BAY", "NEAR OCEAN"]


def _limits(name: str) -> Meta:
    column = BY_NAME[name]
    return Meta(ge=column.low, le=column.high, description=f"{column.meaning}; {column.unit}")


class Block(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A block group of houses, as the census of 1990 describes it; every number within the range of its column."""

    longitude: Annotated[float, _limits("longitude")]
    latitude: Annotated[float, _limits("latitude")]
    housing_median_age: Annotated[float, _limits("housing_median_age")]
    total_rooms: Annotated[float, _limits("total_rooms")]
    total_bedrooms: Annotated[float, _limits("total_bedrooms")] | None = None
    population: Annotated[float, _limits("population")]
    households: Annotated[float, _limits("households")]
    median_income: Annotated[float, _limits("median_income")]
    ocean_proximity: Annotated[Ocean, Meta(description=BY_NAME[CATEGORY].meaning)]


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """1 to 500 blocks to price. `explain`: say of each, too, what moves its price; for at most 20."""

    blocks: Annotated[list[Block], Meta(extra_json_schema={"minItems": 1, "maxItems": MAX_BLOCKS})]
    explain: bool = True


class Band(msgspec.Struct, frozen=True):
    """A band of prices, dollars; `high` is null where it has no end. `probability` that the price lies in it."""

    name: str
    low: int
    high: int | None
    probability: Annotated[float, Meta(ge=0, le=1)]


class Reason(msgspec.Struct, frozen=True):
    """By how many dollars something about the block moves its price from the typical block's."""

    reason: Literal["location", "income", "age", "dwellings"]
    dollars: int


class Prediction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the model says of a block, in dollars of 1990.

    The price lies between `low` and `high` in `coverage` of cases. `band` is the likeliest of `bands`. `comparables`:
    how many known blocks lie within some 3 km, nearer ones counting more. `reasons`, the weightiest first, add up to
    `price` less `typical_price`. `warning`: what makes the price less sure than it looks.
    """

    price: int
    low: int
    high: int
    coverage: float
    band: Band
    bands: list[Band]
    comparables: float
    typical_price: int
    reasons: list[Reason] | None = None
    warning: str | None = None


class Model(msgspec.Struct, frozen=True):
    """The model that answered. `version`: in the model registry; `since`: when it was promoted, ms since 1970."""

    fingerprint: str
    algorithm: str
    version: str | None
    since: int


class Answer(msgspec.Struct, frozen=True):
    """A prediction for each block, in the order sent."""

    model: Model
    predictions: list[Prediction]


class _Envelope(msgspec.Struct):
    """Tells the two forms of a body apart."""

    blocks: msgspec.Raw = msgspec.Raw(b"")


_envelope = msgspec.json.Decoder(_Envelope)
_asked = msgspec.json.Decoder(Asked)
_block = msgspec.json.Decoder(Block)


def decode(body: bytes) -> Asked:
    """The blocks in a request's body, `{"blocks": [1 to 500 blocks], "explain": true}` or one block alone.

    Raises BadRequest that names block and field, TooLarge where the body is over 1 MiB.
    """
    if len(body) > MAX_BODY_BYTES:
        raise TooLarge(f"the body is {len(body):,} bytes; at most {MAX_BODY_BYTES:,} are taken")
    try:
        several = bool(bytes(_envelope.decode(body).blocks))
        asked = _asked.decode(body) if several else Asked([_block.decode(body)])
    except msgspec.ValidationError as error:
        raise BadRequest(_words(error)) from None
    except RecursionError:
        raise BadRequest("the body is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        place = lone_surrogate(read_leniently(body)) or "the body"
        raise BadRequest(f"{place[:MAX_WORDS]}: a lone surrogate is not text") from None
    if not 1 <= len(asked.blocks) <= MAX_BLOCKS:
        raise BadRequest(f"blocks: 1 to {MAX_BLOCKS} blocks a request, got {len(asked.blocks)}")
    if asked.explain and len(asked.blocks) > MAX_EXPLAINED:
        raise BadRequest(
            f"explain: reasons are given for at most {MAX_EXPLAINED} blocks, got {len(asked.blocks)}; send fewer, or"
            ' "explain": false'
        )
    return asked


def _words(error: msgspec.ValidationError) -> str:
    words = explain(error)
    place, found, _ = words.partition("invalid enum value")
    if found:
        words = f"{place}expected one of {', '.join(BY_NAME[CATEGORY].categories)}"
    return words if len(words) <= MAX_WORDS else f"{words[:MAX_WORDS]}…"


def json_schemas(ref_template: str = "#/$defs/{name}") -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The JSON Schemas (2020-12) of a body and of its answer, and of the parts that both refer to."""
    (block, asked, answer), parts = msgspec.json.schema_components([Block, Asked, Answer], ref_template=ref_template)
    blocks = parts["Asked"]["properties"]["blocks"]
    without = {
        **parts["Asked"],
        "title": "AskedWithoutReasons",
        "properties": {"blocks": blocks, "explain": {"const": False}},
        "required": ["blocks", "explain"],
    }
    parts["Asked"]["properties"]["blocks"] = {**blocks, "maxItems": MAX_EXPLAINED}
    refer = {"$ref": ref_template.format(name="AskedWithoutReasons")}
    return {"anyOf": [asked, refer, block]}, answer, {**parts, "AskedWithoutReasons": without}
