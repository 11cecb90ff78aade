"""Bugs that are planted, one for each promise: the schedules must find every one of them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

import jwt
import pytest
from botocore.exceptions import BotoCoreError

from tests.faults.backend import Backend
from tests.faults.test_schedules import run
from tests.trust import tell
from tidemark import writer
from tidemark.adapters.dynamodb import DynamoLedger
from tidemark.adapters.dynamodb_history import DynamoHistory
from tidemark.adapters.dynamodb_runs import DynamoRuns
from tidemark.adapters.s3_lake import S3Lake
from tidemark.cells import Cell
from tidemark.history import counters
from tidemark.ledger import Attempt, InDoubt, digest
from tidemark.models.champion import Champion, Decision
from tidemark.privacy import retention
from ws_server.truth import Truth

MOST = 200
"""Schedules that a bug is looked for in: the emulator's own clock lets one be found sooner or later."""
FIRST = 5_000

Planted = AbstractContextManager[object]


def sales_and_cells_apart() -> Planted:
    """What is killed in between leaves sales that nobody counts."""
    whole = DynamoLedger.commit

    def commit(self: DynamoLedger, attempt: Attempt) -> None:
        whole(self, Attempt(attempt.token, attempt.sales, []))
        if attempt.cells:
            whole(self, Attempt(f"{attempt.token[:30]}c", [], attempt.cells))

    return mock.patch.object(DynamoLedger, "commit", commit)


def doubt_is_taken_for_success() -> Planted:
    """A commit whose answer was lost counts as having happened."""
    whole = DynamoLedger.commit

    def commit(self: DynamoLedger, attempt: Attempt) -> None:
        try:
            whole(self, attempt)
        except InDoubt:
            return

    return mock.patch.object(DynamoLedger, "commit", commit)


def any_repeat_is_accepted() -> Planted:
    """A repeated sale is answered as if it were new."""
    settle = writer._settle

    def settled(pending: Any, refusal: Any, tokens: Any, outcomes: Any) -> Any:
        return settle(pending, refusal, {token for _, token in refusal.present.values()}, outcomes)

    return mock.patch.object(writer, "_settle", settled)


def digests_of_the_answer() -> Planted:
    """What a client repeats is told from what it sent before by more than what it sent."""
    times = iter(range(1_000_000))
    return mock.patch("tidemark.ingest.digest", lambda sold: f"{digest(sold)}{next(times) % 2}")


def no_quarantine() -> Planted:
    """Conflicts are answered and forgotten."""
    return mock.patch.object(DynamoLedger, "quarantine")


def one_object_a_day() -> Planted:
    """What is archived takes the place of what was archived of that day."""
    put = S3Lake.put

    def replaced(self: S3Lake, minute: int, documents: Any) -> str:
        before = self.keys()
        key = put(self, minute, documents)
        self.remove(old for old in before - {key} if old.split("/")[1] == key.split("/")[1])
        return key

    return mock.patch.object(S3Lake, "put", replaced)


def archiving_hides_its_failures() -> Planted:
    """A batch that was not written is not given again."""
    put = S3Lake.put

    def quiet(self: S3Lake, minute: int, documents: Any) -> str:
        try:
            return put(self, minute, documents)
        except BotoCoreError:
            return ""

    return mock.patch.object(S3Lake, "put", quiet)


def pages_take_what_is_older() -> Planted:
    """The newest message is believed, whatever its version."""
    merge = Truth.merge

    def merged(self: Truth, cells: Any, notices: Any = (), position: Any = None) -> bool:
        told: list[Cell] = list(cells)
        for cell in told:
            self._writers.get((cell.key.minute, cell.key.branch), {}).pop(cell.key.writer, None)
        return merge(self, told, notices, position)

    return mock.patch.object(Truth, "merge", merged)


def marks_are_not_looked_at() -> Planted:
    """Readers count a cell that history holds already."""

    def loose(cell: Cell, plans: Any, periods: Any) -> bool:
        return any(plan.key(cell.key.minute, cell.key.branch) is not None for plan in plans)

    return mock.patch.object(counters, "_is_loose", loose)


def a_move_checks_nothing() -> Planted:
    """A cell is moved as it was read, whatever its writer has added since."""
    mark = DynamoHistory._mark

    def unchecked(self: DynamoHistory, cell: Cell, move: int) -> dict[str, Any]:
        item = mark(self, cell, move)
        (what,) = item.values()
        what["ConditionExpression"] = "version <= :version OR version > :version"
        return item

    return mock.patch.object(DynamoHistory, "_mark", unchecked)


def old_tokens_are_good() -> Planted:
    """A token's end is not looked at."""
    decode = jwt.decode

    def lenient(token: str, secret: str, **how: Any) -> Any:
        how["options"] = {**how["options"], "verify_exp": False}
        return decode(token, secret, **how)

    return mock.patch.object(jwt, "decode", lenient)


def nobody_tells_what_was_not_told() -> Planted:
    """The publish Lambda says that all is well, and does nothing."""
    return mock.patch(
        "aws_lambda_powertools.utilities.batch.process_partial_response", return_value={"batchItemFailures": []}
    )


def whoever_serves_is_replaced() -> Planted:
    """A model is promoted over another than the one that it was judged against."""
    crown = DynamoRuns.crown

    def crowned(self: DynamoRuns, champion: Champion, *, replacing: Champion | None, decision: Any = None) -> bool:
        return crown(self, champion, replacing=self.champion(champion.model), decision=decision)

    return mock.patch.object(DynamoRuns, "crown", crowned)


def decisions_apart() -> Planted:
    """Who serves changes first, and what was decided is kept afterwards."""
    replace = DynamoRuns._replace

    def replaced(self: DynamoRuns, write: Any, decision: Decision | None) -> bool:
        done = replace(self, write, None)
        if done and decision is not None:
            self.add_decision(decision)
        return done

    return mock.patch.object(DynamoRuns, "_replace", replaced)


def files_come_afterwards() -> Planted:
    """A model is promoted first, and its file kept afterwards."""
    kept: dict[str, bytes] = {}
    crown, keep = DynamoRuns.crown, DynamoRuns.keep_model

    def crowned(self: DynamoRuns, champion: Champion, **how: Any) -> bool:
        done = crown(self, champion, **how)
        keep(self, champion.fingerprint, kept[champion.fingerprint])
        return done

    stack = ExitStack()
    stack.enter_context(mock.patch.object(DynamoRuns, "crown", crowned))
    stack.enter_context(mock.patch.object(DynamoRuns, "keep_model", lambda _, name, file: kept.update({name: file})))
    return stack


def the_lake_forgets_first() -> Planted:
    """Retention removes what it has read, and writes it anew afterwards."""
    read = retention._Work._read

    def reads_and_removes(self: retention._Work, key: str) -> list[str]:
        lines = read(self, key)
        self._lake.purge([key])
        return lines

    return mock.patch.object(retention._Work, "_read", reads_and_removes)


def the_ledger_remembers() -> Planted:
    """Retention blanks a customer in the lake alone."""
    return mock.patch.object(retention._Work, "_blank")


def what_was_blanked_lies_there_still() -> Planted:
    """Retention leaves the lake's objects as they were beside those that it writes."""
    return mock.patch.object(S3Lake, "purge")


PLANTED: list[Callable[[], Planted]] = [
    sales_and_cells_apart,
    doubt_is_taken_for_success,
    any_repeat_is_accepted,
    digests_of_the_answer,
    no_quarantine,
    one_object_a_day,
    archiving_hides_its_failures,
    pages_take_what_is_older,
    marks_are_not_looked_at,
    a_move_checks_nothing,
    old_tokens_are_good,
    nobody_tells_what_was_not_told,
    whoever_serves_is_replaced,
    decisions_apart,
    files_come_afterwards,
    the_lake_forgets_first,
    the_ledger_remembers,
    what_was_blanked_lies_there_still,
]


_found: dict[str, int] = {}
"""By bug, how many schedules it took."""


@pytest.mark.long
@pytest.mark.timeout(0)
@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_planted_bug_is_found(plant: Callable[[], Planted], backend: Backend, tmp_path: Path) -> None:
    with plant():
        for number in range(MOST):
            try:
                run(FIRST + number, backend, tmp_path / f"{number}")
            except AssertionError:
                _found[plant.__name__] = number + 1
                tell("planted", planted=len(PLANTED), found=len(_found), most=max(_found.values()))
                return
    raise AssertionError(f"{MOST} schedules did not find it")
