"""One contract, two keepers of feedback: in memory, and DynamoDB on the emulator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cloud import Cloud
from tests.contract.tables import clone_table
from tidemark.adapters.dynamodb_feedback import DynamoFeedback
from tidemark.adapters.memory import MemoryFeedback
from tidemark.errors import BadRequest
from tidemark.feedback import Message, Remark, receive
from tidemark.local import stores
from tidemark.ports import Feedback
from tidemark.privacy.subjects import ERASED, erase_sender

NOW = 1_795_132_800_000
LONGEST = Message(text="\U0001f600" * 2_000, view="\x01" * 4_000, mood="bad", page_version="v" * 40)


@pytest.fixture(params=["memory", "ministack"])
def feedback(request: pytest.FixtureRequest) -> Iterator[Feedback]:
    if request.param == "memory":
        yield MemoryFeedback()
        return
    cloud: Cloud = request.getfixturevalue("cloud")
    dynamodb = stores.client(cloud.home, "dynamodb")
    deployed = stores.running(cloud.home)["FeedbackTable"]
    name = clone_table(dynamodb, deployed, f"feedback-{abs(hash(request.node.name))}")
    yield DynamoFeedback(dynamodb, name)
    dynamodb.delete_table(TableName=name)


def remark(text: str, now_ms: int = NOW) -> Remark:
    return receive(Message(text=text, view="?branch=A"), now_ms=now_ms, sender="x", scope="read")


def test_a_remark_comes_back_as_it_was_kept(feedback: Feedback) -> None:
    kept = receive(LONGEST, now_ms=NOW, sender=None, scope=None)
    feedback.add(kept)
    feedback.add(kept)
    assert feedback.page(limit=10).feedback == [kept]


def test_a_sender_is_erased_with_what_they_wrote_and_nobody_else(feedback: Feedback) -> None:
    made = [
        receive(Message(text=f"{n}", view=""), now_ms=NOW + n, sender="xy"[n % 2], scope="read") for n in range(240)
    ]
    for one in made:
        feedback.add(one)
    assert erase_sender(feedback, "x") == 120
    left = [one for page in (feedback.page(limit=1_000),) for one in page.feedback]
    assert len(left) == 240
    for one in left:
        assert (one.sender, one.text) == ((None, ERASED) if one.received_at % 2 == NOW % 2 else ("y", one.text))
        assert one.text == ERASED or int(one.text) % 2
    assert erase_sender(feedback, "x") == 0


def test_nothing_is_a_page_too(feedback: Feedback) -> None:
    page = feedback.page(limit=10)
    assert (page.feedback, page.cursor) == ([], None)


@pytest.mark.parametrize("limit", [1, 3, 6, 7, 100])
def test_remarks_come_in_pages_newest_first(feedback: Feedback, limit: int) -> None:
    days = 86_400_000
    made = [remark(str(n), NOW + (n * 5) % 6 * 40 * days) for n in range(6)]  # over months, in disorder
    for one in made:
        feedback.add(one)
    found: list[Remark] = []
    sizes = []
    cursor = None
    while True:
        page = feedback.page(limit=limit, cursor=cursor)
        found += page.feedback
        sizes.append(len(page.feedback))
        cursor = page.cursor
        if cursor is None:
            break
    assert found == sorted(made, key=lambda r: r.received_at, reverse=True)
    assert 0 < min(sizes) <= max(sizes) <= limit


def test_many_long_remarks_need_more_pages_and_lose_none(feedback: Feedback) -> None:
    made = [receive(LONGEST, now_ms=NOW + n, sender=None, scope=None) for n in range(60)]  # over 1 MB: a query's most
    for one in made:
        feedback.add(one)
    found: list[Remark] = []
    cursor: str | None = None
    while len(found) < len(made):
        page = feedback.page(limit=100, cursor=cursor)
        found += page.feedback
        cursor = page.cursor
        assert page.feedback
    assert cursor is None
    assert found == made[::-1]


def test_a_remark_that_comes_between_two_pages_moves_nothing(feedback: Feedback) -> None:
    made = [remark(str(n), NOW + n) for n in range(4)]
    for one in made:
        feedback.add(one)
    first = feedback.page(limit=2)
    feedback.add(remark("new", NOW + 9))
    assert first.feedback + feedback.page(limit=2, cursor=first.cursor).feedback == made[::-1]


@pytest.mark.parametrize("cursor", ["made up", "1795132800000", "1795132800000-0123456789ABCDEF", "\uff11" * 13])
def test_a_made_up_cursor_is_refused(feedback: Feedback, cursor: str) -> None:
    with pytest.raises(BadRequest, match="cursor"):
        feedback.page(limit=1, cursor=cursor)
