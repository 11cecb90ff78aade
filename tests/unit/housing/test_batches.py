from __future__ import annotations

import hashlib
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.unit.housing.samples import csv, drawn, real_file
from tidemark.housing import batches
from tidemark.housing.batches import Checked, check
from tidemark.housing.columns import ID, NAMES

HEADER = ",".join(NAMES)
NOT_HERE = "is outside 32 to 42.5° north"
AGE = "housing_median_age"
CATEGORIES = "<1H OCEAN, INLAND, ISLAND, NEAR BAY, NEAR OCEAN"
GOOD = "-122.23,37.88,41.0,880.0,129.0,322.0,126.0,8.3252,452600.0,NEAR BAY"


def batch(*rows: str, good: int = 20) -> bytes:
    """A batch of some rows and `good` different good ones before them."""
    before = [GOOD.replace("880.0", f"{1000 + place}.0") for place in range(good)]
    return "\n".join([HEADER, *before, *rows, ""]).encode()


def refused(checked: Checked) -> batches.Refusal:
    assert checked.refusal is not None
    assert len(checked.rows) == 0
    assert checked.quarantined == []
    return checked.refusal


def test_a_good_batch_is_taken_whole() -> None:
    frame = drawn(500)
    content = csv(frame)
    checked = check(content, stated_sha256=hashlib.sha256(content).hexdigest(), stated_rows=len(frame))
    assert checked.refusal is None
    assert checked.quarantined == []
    assert checked.lines == len(frame)
    assert list(checked.rows) == [*NAMES, ID]
    pd.testing.assert_frame_equal(checked.rows[list(NAMES)], frame, check_dtype=False)
    assert checked.rows[ID].dtype == np.int64
    assert checked.rows[ID].is_unique


def test_the_real_file_is_taken_whole() -> None:
    checked = check(real_file().read_bytes(), stated_rows=20_640)
    assert (checked.refusal, checked.quarantined, len(checked.rows)) == (None, [], 20_640)
    assert checked.rows["total_bedrooms"].isna().sum() == 207


def test_the_id_of_a_block_is_of_what_it_says_and_stays() -> None:
    (one, *_), (quoted, *_) = (
        check(batch(row, good=0)).rows[ID].tolist()
        for row in (GOOD, GOOD.replace("880.0", "8.8e2").replace("NEAR BAY", '"NEAR BAY"'))
    )
    # Clean files hold such ids: another pandas must give the same.
    assert one == quoted == 7994889352249028786


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        (b"", "empty", "is empty"),
        (b"\n\n", "empty", "is empty"),
        (f"{HEADER}\n".encode(), "no_rows", "a header and no rows"),
        (HEADER.encode(), "no_rows", "a header and no rows"),
        (batch() + b"\xff\xfe\n", "not_csv", "line 22"),
        (b"PK\x03\x04\x00\x00\xff", "not_csv", "UTF-8"),
        (b"<html><body>502 Bad Gateway</body></html>\n", "not_csv", "no commas"),
        (batch().replace(b",", b";"), "not_csv", "no commas"),
        (batch().replace(b",population", b""), "missing_column", "population"),
        (batch().replace(b"population", b"people", 1), "missing_column", "people"),
        (batch().replace(HEADER.encode(), f"{HEADER},colour".encode()), "unknown_column", "colour"),
        (batch().replace(b"latitude", b"longitude,latitude", 1), "unknown_column", "longitude more than once"),
        (batch().removesuffix(b"\n"), "cut_off", "line (21) does not end with a newline"),
        (batch()[:-25], "cut_off", "line (21) has 8 of 10 fields"),
        (batch("-122.23,37.88"), "cut_off", "line (22) has 2 of 10 fields"),
        (batch().replace(b"452600.0", b"about a lot"), "not_numbers", "median_house_value"),
        (batch().replace(b",322.0,", b",,"), "too_many_nulls", "population is empty in 20 of 20 rows (100.0%)"),
        (batch().replace(b",129.0,", b",,"), "too_many_nulls", "100.0%), first in line 2; at most 5% may be"),
        (batch(*[GOOD.replace("37.88", "0")] * 6), "too_many_bad", "6 of 26 rows (23.1%) are bad"),
    ],
)  # fmt: skip
def test_a_batch_that_is_not_what_it_should_be_is_refused(content: bytes, kind: str, words: str) -> None:
    refusal = refused(check(content))
    assert refusal.kind == kind
    assert words in refusal.reason


def test_a_refusal_names_column_line_and_share() -> None:
    rows = [GOOD.replace("37.88", "0").replace("880", str(k)) for k in range(200, 210)]
    assert refused(check(batch(*rows))) == batches.Refusal(
        "too_many_bad",
        "10 of 30 rows (33.3%) are bad, more than 20%; most often (10 times, first in line 22): "
        "latitude is outside 32 to 42.5° north.",
        "latitude",
        22,
        10 / 30,
    )


def test_what_was_announced_must_have_come() -> None:
    content = batch()
    assert refused(check(content[:-70], stated_sha256=hashlib.sha256(content).hexdigest())).kind == "wrong_sha256"
    assert refused(check(content, stated_rows=21)).kind == "wrong_rows"
    assert check(content, stated_rows=20).refusal is None
    # Bytes that equal the announced ones are all there, with or without a last newline.
    whole = content.removesuffix(b"\n")
    assert check(whole, stated_sha256=hashlib.sha256(whole).hexdigest().upper()).refusal is None


@pytest.mark.parametrize(
    ("row", "reasons"),
    [
        (GOOD.replace("-122.23", "122.23"), ["longitude 122.23 is outside -125 to -114° east"]),
        (GOOD.replace("880.0", "1e6"), ["total_rooms 1,000,000 is outside 1 to 99,999 rooms"]),
        (GOOD.replace("322.0", "0"), ["population 0 is outside 1 to 99,999 people"]),
        (GOOD.replace("322.0", "many"), ["population 'many' is not a number"]),
        (GOOD.replace("322.0", "0x1F"), ["population '0x1F' is not a number"]),
        (GOOD.replace("322.0", "inf"), ["population 'inf' is not a number"]),
        (GOOD.replace("322.0", "1e999"), ["population inf is outside 1 to 99,999 people"]),
        (GOOD.replace("322.0", ""), ["population is empty"]),
        (GOOD.replace("322.0", "NaN"), ["population is empty"]),
        (GOOD.replace("NEAR BAY", ""), ["ocean_proximity is empty"]),
        (GOOD.replace("NEAR BAY", "SEA"), [f"ocean_proximity 'SEA' is none of {CATEGORIES}"]),
        (GOOD.replace("129.0", "881"), ["the row has more bedrooms than rooms"]),
        (GOOD.replace("880.0", "1000.0"), ["the row is the same row as line 2"]),
        (GOOD + ",1", ["the row has 11 fields instead of 10"]),
        ("a,b", ["the row has 2 fields instead of 10"]),
        (GOOD.replace("37.88", "0").replace("41.0", "x"), [f"{AGE} 'x' is not a number", f"latitude 0 {NOT_HERE}"]),
    ],
)  # fmt: skip
def test_a_bad_row_is_kept_apart_with_its_reasons(row: str, reasons: list[str]) -> None:
    checked = check(batch(row, GOOD))
    assert checked.refusal is None
    assert [(q.line, q.row, sorted(q.reasons)) for q in checked.quarantined] == [(22, row, sorted(reasons))]
    assert len(checked.rows) == 21


def test_a_strangers_text_is_repeated_in_part_alone() -> None:
    (quarantined,) = check(batch(GOOD.replace("322.0", "9" * 500_000 + "x"))).quarantined
    assert quarantined.reasons == [f"population '{'9' * 60}…' is not a number"]
    header = ",".join([*NAMES[:-1], *("x" * 500_000 for _ in range(50))])
    assert len(refused(check(header.encode() + b"\n1\n")).reason) < 1_500


def test_reasons_are_counted_by_kind_whatever_the_value() -> None:
    bad = [GOOD.replace("37.88", f"{n}.5") for n in range(5)]
    checked = check(batch(*bad, GOOD.replace("322.0", ""), good=40))
    assert checked.reasons == {f"latitude {NOT_HERE}": 5, "population is empty": 1}


def test_a_file_too_large_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MOST_BYTES", 100)
    refusal = refused(check(batch()))
    assert (refusal.kind, "Send it in parts." in refusal.reason) == ("too_large", True)


def test_what_nobody_thought_of_refuses_the_file_and_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(content: bytes) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(batches, "read", fail)
    refusal = refused(check(batch()))
    assert (refusal.kind, refusal.reason) == (
        "not_checked",
        "The file cannot be checked: ZeroDivisionError: by nothing",
    )


def test_an_empty_line_is_a_row_too() -> None:
    checked = check(batch("", GOOD))
    (quarantined,) = checked.quarantined
    assert (quarantined.line, quarantined.row) == (22, "")


def test_bedrooms_may_be_empty_but_not_often() -> None:
    rows = [GOOD.replace("129.0", "").replace("880", str(place)) for place in range(2000, 2003)]
    assert check(batch(*rows, good=57)).refusal is None
    refusal = refused(check(batch(*rows, good=56)))
    assert (refusal.kind, refusal.column, refusal.line, refusal.share) == (
        "too_many_nulls",
        "total_bedrooms",
        58,
        3 / 59,
    )


def test_columns_come_in_any_order_and_lines_may_end_otherwise() -> None:
    frame = drawn(50)
    content = csv(frame[list(reversed(NAMES))])
    for variant in (content, content.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + content):
        pd.testing.assert_frame_equal(check(variant).rows[list(NAMES)], frame, check_dtype=False)


def test_rows_that_are_no_numbers_change_nothing_of_the_others() -> None:
    frame = drawn(300)
    plain = check(csv(frame)).rows
    mixed = check(csv(frame) + GOOD.replace("8.3252", "eight").encode() + b"\n")
    pd.testing.assert_frame_equal(mixed.rows, plain)


field = st.one_of(
    st.sampled_from(["", "NaN", "NEAR BAY", "ISLAND", "SEA", "x", '"', "1e400", "-0", " 7 ", "é"]),
    st.floats(-130, 100_000).map(str),
    st.text(st.characters(codec="utf-8", exclude_characters=",\r\n"), max_size=4),
)
line = st.one_of(
    st.just(GOOD),
    st.lists(field, min_size=0, max_size=12).map(",".join),
    st.sampled_from([GOOD + ",", GOOD[:-9], '"' + GOOD]),
)


@given(st.lists(line, max_size=12), st.integers(0, 30), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
@example(lines=['"', GOOD], good=20, end="\n", ended=True)
@settings(deadline=None)
def test_every_line_is_in_exactly_one_place(lines: list[str], good: int, end: str, ended: bool) -> None:
    content = batch(*lines, good=good).decode().replace("\n", end)
    encoded = (content if ended else content.removesuffix(end)).encode()
    rows = encoded.splitlines()[1:]
    checked = check(encoded)
    assert checked.lines == len(rows) or checked.refusal is not None
    if checked.refusal is not None:
        assert (len(checked.rows), checked.quarantined) == (0, [])
        return
    apart = [quarantined.line for quarantined in checked.quarantined]
    assert apart == sorted(set(apart))
    assert all(quarantined.reasons for quarantined in checked.quarantined)
    assert [quarantined.row for quarantined in checked.quarantined] == [rows[at - 2].decode() for at in apart]
    left = [row for at, row in enumerate(rows, 2) if at not in set(apart)]
    assert len(left) == len(checked.rows)
    for row, (_, taken) in zip(left, checked.rows.iterrows(), strict=True):
        cells = [cell.strip(' \t"') for cell in row.decode().split(",")]
        assert cells[-1] == taken["ocean_proximity"]
        assert [float(cell) if cell else None for cell in cells[:3]] == list(taken.iloc[:3])


def test_half_a_million_rows_take_a_few_seconds() -> None:
    frame = drawn(5_000)
    frame = pd.concat([frame.assign(population=frame["population"] + 40 * k) for k in range(100)])
    content = csv(frame)
    began = time.process_time()
    checked = check(content)
    assert time.process_time() - began < 8  # 0.7 s on a quiet machine
    assert checked.refusal is None
    assert len(checked.rows) + len(checked.quarantined) == len(frame)
