"""POST /v1/housing/predict without a Lambda: what is taken, what is refused with which words, and what is answered."""

from __future__ import annotations

import contextlib
from itertools import pairwise
from typing import Any, get_args, get_type_hints

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.api import examples
from tests.pipelines import champion_of, small_model
from tidemark.adapters.memory_runs import MemoryObjects, MemoryRuns
from tidemark.errors import BadRequest, TooLarge, Unavailable
from tidemark.housing.columns import BY_NAME, CATEGORY
from tidemark.housing.features import OCEAN
from tidemark.housing.price_model import REASONS
from tidemark.housing.requests import Asked, Block, Ocean, Reason, decode, json_schemas
from tidemark.housing.serving import Serving, predict
from tidemark.models.champion import Champion
from tidemark.models.standing import LOOK_EVERY_S

BLOCK: dict[str, Any] = examples.BLOCK
NUMBERS = [name for name in Block.__struct_fields__ if name != CATEGORY]
DESERT = {**BLOCK, "longitude": -114.0, "latitude": 42.5}


def body(*blocks: dict[str, Any], **more: Any) -> bytes:
    return msgspec.json.encode({"blocks": blocks, **more})


def changed(**changes: Any) -> bytes:
    return body(BLOCK, {**BLOCK, **changes})


def refusal(content: bytes) -> str:
    with pytest.raises(BadRequest) as error:
        decode(content)
    return str(error.value)


def test_a_block_is_described_as_the_columns_are() -> None:
    assert {*NUMBERS, CATEGORY, "median_house_value"} == set(BY_NAME)
    assert get_args(Ocean) == OCEAN == BY_NAME[CATEGORY].categories
    assert get_args(get_type_hints(Reason)["reason"]) == tuple(REASONS)
    sent, answer, parts = json_schemas()
    assert sent == {"anyOf": [{"$ref": f"#/$defs/{name}"} for name in ("Asked", "AskedWithoutReasons", "Block")]}
    assert answer == {"$ref": "#/$defs/Answer"}
    assert [parts[name]["properties"]["blocks"]["maxItems"] for name in ("Asked", "AskedWithoutReasons")] == [20, 500]
    described = parts["Block"]["properties"]
    for name in NUMBERS:
        number = described[name] if "anyOf" not in described[name] else described[name]["anyOf"][0]
        assert (number["minimum"], number["maximum"]) == (BY_NAME[name].low, BY_NAME[name].high)


def test_blocks_are_taken_in_both_forms() -> None:
    one = msgspec.convert(BLOCK, Block)
    assert decode(msgspec.json.encode(BLOCK)) == Asked([one], explain=True)
    assert decode(body(BLOCK)) == Asked([one], explain=True)
    assert decode(body(BLOCK, BLOCK, explain=False)) == Asked([one, one], explain=False)


@pytest.mark.parametrize("bedrooms", [None, "left out"])
def test_bedrooms_may_be_unknown(bedrooms: object) -> None:
    block = {name: value for name, value in BLOCK.items() if name != "total_bedrooms"}
    if bedrooms is None:
        block["total_bedrooms"] = None
    assert decode(body(block)).blocks[0].total_bedrooms is None


@pytest.mark.parametrize("name", NUMBERS)
def test_the_limits_of_a_range_are_in_it(name: str) -> None:
    column = BY_NAME[name]
    for value in (column.low, column.high):
        assert getattr(decode(changed(**{name: value})).blocks[1], name) == value
    for value in (np.nextafter(column.low, -np.inf), np.nextafter(column.high, np.inf), -1e9, 1e9):
        assert refusal(changed(**{name: float(value)})).startswith(f"blocks[1].{name}: expected float")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the body is not JSON"),
        (b"hello", "the body is not JSON"),
        (b"\xff", "not UTF-8"),
        (b"[]", "expected object, got array"),
        (b"null", "expected object, got null"),
        (b"{}", "missing required field longitude"),
        (b"[" * 100_000, "expected object"),
        (b'{"blocks":' + b"[" * 100_000, "nested too deeply"),
        (b'{"blocks":[' + b'{"longitude":' * 50_000, "nested too deeply"),
        (b'{"' + b"x" * 1_000 + b'": 1}', "unknown field"),
        (body(), "blocks: 1 to 500 blocks a request, got 0"),
        (body(*[BLOCK] * 501, explain=False), "blocks: 1 to 500 blocks a request, got 501"),
        (
            body(*[BLOCK] * 21),
            'explain: reasons are given for at most 20 blocks, got 21; send fewer, or "explain": false',
        ),
        (body(BLOCK, explain="yes"), "explain: expected bool, got str"),
        (body(BLOCK, colour="red"), "unknown field colour"),
        (msgspec.json.encode({"blocks": BLOCK}), "blocks: expected array, got object"),
        (changed(colour="red"), "blocks[1]: object contains unknown field colour"),
        (changed(latitude="37"), "blocks[1].latitude: expected float, got str"),
        (changed(latitude=True), "blocks[1].latitude: expected float, got bool"),
        (changed(latitude=None), "blocks[1].latitude: expected float, got null"),
        (changed(ocean_proximity="SEA"), "blocks[1].ocean_proximity: expected one of <1H OCEAN, INLAND, ISLAND"),
        (changed(ocean_proximity="x" * 100_000), "blocks[1].ocean_proximity: expected one of"),
        (changed(ocean_proximity=3), "blocks[1].ocean_proximity: expected str, got int"),
        (changed().replace(b"8.3252", b"NaN"), "blocks[0].median_income: NaN is not JSON"),
        (changed().replace(b"8.3252", b"-Infinity"), "blocks[0].median_income: -Infinity is not JSON"),
        (changed().replace(b"8.3252", b"1e999"), "blocks[0].median_income: number out of range"),
        (changed().replace(b"8.3252", b"1" + b"0" * 5_000), "blocks[0].median_income: number out of range"),
        (changed().replace(b"NEAR BAY", b"\\ud800"), "lone surrogate"),
        (body(BLOCK)[:-1], "the body is not JSON"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(content: bytes, words: str) -> None:
    said = refusal(content)
    assert words in said
    assert len(said) <= 400


@pytest.mark.parametrize("size", [1_048_577, 10_000_000])
def test_a_huge_body_is_too_large(size: int) -> None:
    with pytest.raises(TooLarge, match="at most 1,048,576"):
        decode(b" " * size)


def test_500_blocks_fit_however_they_are_written() -> None:
    content = msgspec.json.format(body(*[BLOCK] * 500, explain=False), indent=8)
    assert len(decode(content).blocks) == 500


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
KEYS = st.sampled_from(["blocks", "explain", *NUMBERS]) | st.text()
DOCUMENTS = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=10)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | DOCUMENTS.map(msgspec.json.encode))
def test_any_body_is_taken_or_refused(content: bytes) -> None:
    with contextlib.suppress(BadRequest):
        decode(content)


# -- what is answered


def asked(*blocks: dict[str, Any], explain: bool = True) -> Asked:
    return decode(body(*blocks, explain=explain))


def test_a_prediction_says_all_of_a_price() -> None:
    (said,) = predict(small_model(), asked(BLOCK))
    assert 0 < said.low <= said.price <= said.high
    assert said.coverage == 0.9
    assert said.band in said.bands
    assert said.band.probability == max(band.probability for band in said.bands)
    assert sum(band.probability for band in said.bands) == pytest.approx(1, abs=1e-3)
    assert [band.low for band in said.bands[1:]] == [band.high for band in said.bands[:-1]]
    assert (said.bands[0].low, said.bands[-1].high) == (0, None)
    assert said.bands[0].name == f"up to ${said.bands[0].high:,}"


def test_reasons_add_up_to_what_the_price_is_above_the_typical_one() -> None:
    for said in predict(
        small_model(), asked(BLOCK, DESERT, {**BLOCK, "total_bedrooms": None}, {**BLOCK, "population": 1})
    ):
        assert said.reasons is not None
        assert {reason.reason for reason in said.reasons} == set(REASONS)
        assert sum(reason.dollars for reason in said.reasons) == said.price - said.typical_price
        sizes = [abs(reason.dollars) for reason in said.reasons]
        assert all(one + 3 >= other for one, other in pairwise(sizes))  # but for rounding


def test_reasons_are_left_out_where_nobody_asks_for_them() -> None:
    plain, explained = predict(small_model(), asked(BLOCK, explain=False)), predict(small_model(), asked(BLOCK))
    assert plain == [msgspec.structs.replace(explained[0], reasons=None)]
    assert b"reasons" not in msgspec.json.encode(plain)


def test_what_lies_among_known_blocks_is_not_warned_of() -> None:
    place = small_model().typical
    here = {**BLOCK, "longitude": float(place.longitude[0]), "latitude": float(place.latitude[0])}
    (said,) = predict(small_model(), asked(here))
    assert said.comparables >= 1
    assert said.warning is None or "not told apart" in said.warning


def test_what_lies_alone_is_said_to() -> None:
    (said,) = predict(small_model(), asked(DESERT))
    assert said.warning is not None
    assert said.warning.startswith("nothing comparable within 3 km: ")
    assert said.comparables == 0


def test_more_bedrooms_than_rooms_are_warned_of() -> None:
    (said,) = predict(small_model(), asked({**BLOCK, "total_rooms": 2_100, "total_bedrooms": 4_400}))
    assert said.warning is not None
    assert said.warning.startswith("no block has more bedrooms than rooms")


def test_the_same_blocks_get_the_same_answer_whatever_stands_beside() -> None:
    several = [{**BLOCK, "longitude": -122.0 + n / 100, "median_income": n % 15} for n in range(300)]
    together = predict(small_model(), asked(*several, explain=False))
    assert together == predict(small_model(), asked(*several, explain=False))
    assert together[::37] == [predict(small_model(), asked(one, explain=False))[0] for one in several[::37]]


@settings(max_examples=150, deadline=None)
@given(st.fixed_dictionaries({
    **{name: st.sampled_from([BY_NAME[name].low, BY_NAME[name].high]) | st.floats(BY_NAME[name].low, BY_NAME[name].high)
       for name in NUMBERS if name != "total_bedrooms"},
    "total_bedrooms": st.none() | st.floats(1, 99_999),
    CATEGORY: st.sampled_from(OCEAN),
}))  # fmt: skip
def test_every_block_within_the_ranges_has_a_price(block: dict[str, Any]) -> None:
    (said,) = predict(small_model(), asked(block))
    assert 0 < said.low <= said.high
    assert 0 < said.price <= round(small_model().cap)
    assert msgspec.json.decode(msgspec.json.encode(said))["price"] == said.price


# -- who answers


class Clock:
    """Stands still until a test moves it."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Counted(MemoryRuns):
    """Counts how often the champion is asked for, and can be out of order."""

    asked = 0
    broken = False

    def champion(self, model: str) -> Champion | None:
        self.asked += 1
        if self.broken:
            raise OSError("the table does not answer")
        return super().champion(model)


class Stage:
    """A serving model with all that is around it."""

    def __init__(self) -> None:
        self.runs, self.objects, self.clock, self.said = Counted(), MemoryObjects(), Clock(), list[str]()
        self.serving = Serving(self.runs, self.objects, self.clock, self.said.append)

    def crown(self, trees: int, *, kept: bool = True) -> Champion:
        champion, content = champion_of(small_model(trees))
        if kept:
            self.objects.put(champion.key, content)
        assert self.runs.crown(champion, replacing=self.runs._champions.get("housing"))
        return champion

    def fingerprint(self) -> str:
        return self.serving.answer(asked(BLOCK)).model.fingerprint


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_before_the_first_champion_nobody_answers(stage: Stage) -> None:
    with pytest.raises(Unavailable, match="no price model serves yet"):
        stage.fingerprint()
    first = stage.crown(40)
    assert stage.fingerprint() == first.fingerprint  # at once: nothing that still serves is kept


def test_an_answer_says_who_gave_it(stage: Stage) -> None:
    first = stage.crown(40)
    said = stage.serving.answer(asked(BLOCK))
    assert msgspec.to_builtins(said.model) == {
        "fingerprint": first.fingerprint, "algorithm": "lightgbm", "version": "1", "since": first.at,
    }  # fmt: skip
    assert said.predictions == predict(small_model(), asked(BLOCK))


def test_a_new_champion_takes_over_within_30_s_and_is_looked_for_no_oftener(stage: Stage) -> None:
    first = stage.crown(40)
    assert stage.fingerprint() == first.fingerprint
    second = stage.crown(20)
    for _ in range(5):
        stage.clock.now += LOOK_EVERY_S / 6
        assert stage.fingerprint() == first.fingerprint
    assert stage.runs.asked == 1
    stage.clock.now += LOOK_EVERY_S / 6
    assert stage.fingerprint() == second.fingerprint
    assert stage.runs.asked == 2


def test_a_model_is_read_once(stage: Stage) -> None:
    stage.crown(40)
    stage.fingerprint()
    stage.objects.contents.clear()
    for _ in range(3):
        stage.clock.now += LOOK_EVERY_S
        stage.fingerprint()
    assert stage.said == []


@pytest.mark.parametrize("trouble", ["no file", "no model", "no numbers", "no table", "no champion"])
def test_the_champion_before_goes_on_while_the_new_one_cannot_be_read(stage: Stage, trouble: str) -> None:
    first = stage.crown(40)
    stage.fingerprint()
    stage.clock.now += LOOK_EVERY_S
    if trouble == "no table":
        stage.runs.broken = True
    elif trouble == "no champion":
        stage.runs._champions.clear()
    else:
        second = stage.crown(20, kept=False)
        if trouble == "no model":
            stage.objects.put(second.key, b"PK nonsense")
        if trouble == "no numbers":
            broken = small_model(20).dumps()
            model = small_model(20).loads(broken)
            stage.objects.put(second.key, type(model)(**{**vars(model), "errors": model.errors * np.nan}).dumps())
    assert stage.fingerprint() == first.fingerprint
    assert bool(stage.said) == (trouble != "no champion")


@pytest.mark.parametrize("trouble", ["no file", "no model", "no table"])
def test_without_any_champion_that_can_be_read_it_is_said(stage: Stage, trouble: str) -> None:
    first = stage.crown(40, kept=False)
    if trouble == "no model":
        stage.objects.put(first.key, b"PK nonsense")
    stage.runs.broken = trouble == "no table"
    with pytest.raises(Unavailable, match="cannot be read just now"):
        stage.fingerprint()
    assert stage.said
    stage.runs.broken = False
    stage.objects.put(first.key, small_model().dumps())
    assert stage.fingerprint() == first.fingerprint
