"""One contract, two indexes of the pipelines: in memory, and DynamoDB on the emulator."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from tests.cloud import Cloud
from tests.contract.tables import clone_table
from tidemark.adapters.dynamodb_runs import DynamoRuns
from tidemark.adapters.memory_runs import MemoryRuns
from tidemark.errors import BadRequest, NotFound
from tidemark.local import stores
from tidemark.models.champion import Champion, Decision, Gain
from tidemark.ports import Runs
from tidemark.runs import STATUSES, Batch, FlowState, Run, Status, Step, run_id

NOW = 1_795_132_800_000
DAY = 86_400_000
FLOW = "housing-data"


@pytest.fixture(scope="module")
def dynamodb(cloud: Cloud) -> Any:
    return stores.client(cloud.home, "dynamodb")


@pytest.fixture(params=["memory", "ministack"])
def runs(request: pytest.FixtureRequest) -> Iterator[Runs]:
    if request.param == "memory":
        yield MemoryRuns()
        return
    cloud: Cloud = request.getfixturevalue("cloud")
    dynamodb = request.getfixturevalue("dynamodb")
    deployed = stores.running(cloud.home)["RunsTable"]
    name = clone_table(dynamodb, deployed, f"runs-{abs(hash(request.node.name))}")
    yield DynamoRuns(dynamodb, name)
    dynamodb.delete_table(TableName=name)


def run(number: int, flow: str = FLOW, *, status: Status = "completed", **changes: Any) -> Run:
    """The n-th run of some flow."""
    at = NOW + number * 120_000
    made = Run(
        id=run_id(at, f"{number:08x}-0000-4000-8000-000000000000"),
        flow=flow,
        flow_run=f"{number:08x}-0000-4000-8000-000000000000",
        status=status,
        started_at=at,
        ended_at=at + 4_321,
        headline=f"run {number} <&> – é \U0001f600",
    )
    return msgspec.structs.replace(made, **changes)


def batch(number: int) -> Batch:
    return Batch(f"{NOW + number:013d}-x", f"{number}.csv", f"{number:064x}", NOW + number, run(0).id, 9, 7, 1, 1)


def decision(number: int, model: str = "housing") -> Decision:
    gain = Gain(1.5, -0.5, 3.5)
    return Decision(NOW + number, model, run(number).id, f"{number:016x}", None, True, "why", 9, gain, None)


def champion(name: str, *, at: int = NOW, model: str = "housing") -> Champion:
    return Champion(model, name, "lightgbm", f"models/{model}/{name}.npz", run(0).id, at)


def everything(runs: Runs, limit: int, status: Status | None = None) -> tuple[list[Run], list[int]]:
    found: list[Run] = []
    sizes: list[int] = []
    cursor: str | None = None
    while cursor is not None or not sizes:
        page = runs.page(FLOW, limit=limit, cursor=cursor, status=status)
        found += page.runs
        sizes.append(len(page.runs))
        cursor = page.cursor
    return found, sizes


def test_a_run_comes_back_as_it_was_kept(runs: Runs) -> None:
    kept = run(
        1,
        fingerprint="f",
        reused_from=run(0).id,
        figures={"rmse": 39_950.011944, "drift": 0.0, "tiny": 5e-324},
        steps=[Step("read", "Read – all", 0.25), Step("map", "Map", 0.0, run(0).id)],
    )
    runs.add(kept)
    runs.add(kept)
    assert runs.get(FLOW, kept.id) == kept
    assert everything(runs, 10)[0] == [kept]


def test_what_is_not_there_is_said_to_be_absent(runs: Runs) -> None:
    runs.add(run(1))
    for flow, key in ((FLOW, run(2).id), ("housing-ml", run(1).id), ("", "nothing")):
        with pytest.raises(NotFound, match="there is no run"):
            runs.get(flow, key)
    assert runs.page("housing-ml", limit=5).runs == []
    assert runs.page("housing-ml", limit=5).cursor is None
    assert runs.batches(limit=5) == []
    assert runs.decisions("housing", limit=5) == []
    assert runs.champion("housing") is None


@pytest.mark.parametrize("limit", [1, 3, 6, 7, 200])
def test_runs_come_in_pages_newest_first(runs: Runs, limit: int) -> None:
    made = [run(n * 5 % 6 * 30_000) for n in range(6)]  # over months, in disorder
    for one in made:
        runs.add(one)
    runs.add(run(1, "housing-ml"))
    found, sizes = everything(runs, limit)
    assert found == sorted(made, key=lambda one: one.id, reverse=True)
    assert 0 < min(sizes) <= max(sizes) <= limit


def test_many_long_runs_need_more_than_one_query_and_lose_none(runs: Runs) -> None:
    made = [run(n, headline="x" * 30_000) for n in range(60)]  # over 1 MB: a query's most
    for one in made:
        runs.add(one)
    assert everything(runs, 50)[0] == made[::-1]


def test_a_run_that_comes_between_two_pages_moves_nothing(runs: Runs) -> None:
    made = [run(n) for n in range(4)]
    for one in made:
        runs.add(one)
    first = runs.page(FLOW, limit=2)
    runs.add(run(9))
    assert first.runs + runs.page(FLOW, limit=2, cursor=first.cursor).runs == made[::-1]


def test_no_part_of_the_table_grows_without_end(dynamodb: Any, cloud: Cloud) -> None:
    name = clone_table(dynamodb, stores.running(cloud.home)["RunsTable"], "runs-in-parts")
    runs = DynamoRuns(dynamodb, name)
    for number in range(60):  # two hours apart
        runs.add(run(number * 60))
        runs.add_batch(batch(number * 7_200_000))
        runs.add_decision(decision(number * 7_200_000))
    parts: dict[str, int] = {}
    for item in dynamodb.scan(TableName=name)["Items"]:
        parts[item["list"]["S"]] = parts.get(item["list"]["S"], 0) + 1
    dynamodb.delete_table(TableName=name)
    assert len(parts) == 4 + 4 * 5  # five days, in parts of 28 hours; runs are in two lists
    assert max(parts.values()) <= 14


@pytest.mark.parametrize("limit", [1, 2, 200])
def test_the_runs_of_a_status_come_in_pages_of_their_own(runs: Runs, limit: int) -> None:
    made = [run(n * 5_000, status="failed" if n % 3 == 1 else "completed") for n in range(9)]
    for one in made:
        runs.add(one)
    runs.add(run(5_000, "housing-ml", status="failed"))
    assert everything(runs, limit, status="failed")[0] == [made[7], made[4], made[1]]
    assert everything(runs, limit, status="skipped") == ([], [0])


def test_a_run_has_the_status_that_was_kept_last(runs: Runs) -> None:
    others = [run(n, status="failed") for n in (1, 3)]
    for one in (*others, run(2, status="failed"), run(2), run(2)):
        runs.add(one)
    assert everything(runs, 5)[0] == [others[1], run(2), others[0]]
    assert everything(runs, 5, status="failed")[0] == others[::-1]
    assert everything(runs, 5, status="completed")[0] == [run(2)]


def test_of_many_that_are_kept_at_once_none_is_lost(runs: Runs) -> None:
    made = [run(n, status=STATUSES[n % len(STATUSES)]) for n in range(16)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(runs.add, made))
    assert everything(runs, 50)[0] == made[::-1]


@pytest.mark.parametrize("cursor", ["made up", "1795132800000", "1795132800000-0123456789ABCDEF", "\uff11" * 13 + "-0"])
def test_a_made_up_cursor_is_refused(runs: Runs, cursor: str) -> None:
    with pytest.raises(BadRequest, match="cursor"):
        runs.page(FLOW, limit=1, cursor=cursor)


def test_the_first_batch_with_a_content_has_it(runs: Runs) -> None:
    assert runs.claim("a" * 64, "first.csv") == "first.csv"
    assert runs.claim("a" * 64, "second.csv") == "first.csv"
    assert runs.claim("a" * 64, "first.csv") == "first.csv"
    assert runs.claim("b" * 64, "second.csv") == "second.csv"


def test_of_many_that_claim_a_content_one_has_it(runs: Runs) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda n: runs.claim("c" * 64, f"{n}.csv"), range(16)))
    assert len(found) == 1


def test_batches_and_decisions_come_newest_first(runs: Runs) -> None:
    for number in (2, 0, 3, 1, 1):
        runs.add_batch(batch(number))
        runs.add_decision(decision(number))
    runs.add_decision(decision(7, "sales"))
    assert runs.batch(batch(2).id) == batch(2)
    assert runs.batch(batch(9).id) is None
    assert runs.batches(limit=3) == [batch(3), batch(2), batch(1)]
    assert runs.batches(limit=50) == [batch(n) for n in (3, 2, 1, 0)]
    assert runs.decisions("housing", limit=2) == [decision(3), decision(2)]
    assert runs.decisions("sales", limit=2) == [decision(7, "sales")]


def test_a_champion_is_replaced_by_who_knows_it(runs: Runs) -> None:
    first, second, third = champion("1"), champion("2"), champion("3")
    assert not runs.crown(second, replacing=first)
    assert runs.champion("housing") is None
    assert runs.crown(first, replacing=None)
    assert not runs.crown(second, replacing=None)
    assert runs.champion("housing") == first
    assert runs.crown(second, replacing=first)
    assert not runs.crown(third, replacing=first)
    assert runs.champion("housing") == second
    assert runs.crown(champion("1", model="sales"), replacing=None)
    assert runs.champion("housing") == second


def test_who_is_crowned_again_after_a_lost_answer_is_crowned(runs: Runs) -> None:
    first, second = champion("1"), champion("2")
    assert runs.crown(first, replacing=None)
    assert runs.crown(first, replacing=None)
    assert runs.crown(second, replacing=first)
    assert runs.crown(second, replacing=first)
    assert not runs.crown(champion("2", at=NOW + 1), replacing=first)
    assert runs.champion("housing") == second


def test_a_decision_is_kept_with_the_crown_or_not_at_all(runs: Runs) -> None:
    first, second = champion("1"), champion("2")
    assert runs.crown(first, replacing=None, decision=decision(1))
    assert not runs.crown(second, replacing=None, decision=decision(2))
    assert runs.crown(first, replacing=None, decision=decision(1))  # again, after a lost answer
    assert runs.decisions("housing", limit=9) == [decision(1)]


@pytest.mark.parametrize("before", [None, champion("0")], ids=["none", "one"])
def test_of_many_challengers_at_once_one_is_crowned(runs: Runs, before: Champion | None) -> None:
    if before:
        runs.crown(before, replacing=None)
    racers = [champion(f"racer-{n}") for n in range(16)]
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda racer: runs.crown(racer, replacing=before), racers))
    assert won.count(True) == 1
    assert runs.champion("housing") == racers[won.index(True)]


def test_one_run_of_a_flow_works_at_a_time(runs: Runs) -> None:
    assert runs.begin(FLOW, "one", now=NOW, until=NOW + 30) is None
    assert runs.begin(FLOW, "two", now=NOW + 1, until=NOW + 31) == "one"
    assert runs.begin("housing-ml", "three", now=NOW + 1, until=NOW + 31) is None
    runs.end(FLOW, "one")
    assert runs.begin(FLOW, "two", now=NOW + 2, until=NOW + 32) is None


def test_who_works_may_go_on_longer(runs: Runs) -> None:
    runs.begin(FLOW, "one", now=NOW, until=NOW + 30)
    assert runs.begin(FLOW, "one", now=NOW + 20, until=NOW + 50) is None
    assert runs.begin(FLOW, "two", now=NOW + 40, until=NOW + 70) == "one"


def test_who_is_not_heard_of_any_more_is_followed_by_another(runs: Runs) -> None:
    runs.begin(FLOW, "dead", now=NOW, until=NOW + 30)
    assert runs.begin(FLOW, "two", now=NOW + 30, until=NOW + 60) == "dead"
    assert runs.begin(FLOW, "two", now=NOW + 31, until=NOW + 61) is None
    runs.end(FLOW, "dead")  # it was not dead, and finds another at work
    assert runs.begin(FLOW, "three", now=NOW + 32, until=NOW + 62) == "two"
    assert runs.begin(FLOW, "dead", now=NOW + 32, until=NOW + 62) == "two"


def test_who_ends_twice_or_never_began_changes_nothing(runs: Runs) -> None:
    runs.end(FLOW, "nobody")
    runs.begin(FLOW, "one", now=NOW, until=NOW + 30)
    runs.end(FLOW, "nobody")
    assert runs.begin(FLOW, "two", now=NOW + 1, until=NOW + 31) == "one"
    runs.end(FLOW, "one")
    runs.end(FLOW, "one")
    assert runs.begin(FLOW, "two", now=NOW + 1, until=NOW + 31) is None


def test_of_many_that_begin_at_once_one_works(runs: Runs) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: runs.begin(FLOW, f"run-{n}", now=NOW, until=NOW + 30), range(16)))
    assert found.count(None) == 1
    assert {other for other in found if other} == {f"run-{found.index(None)}"}


def test_a_flow_stands_as_it_was_last_told(runs: Runs) -> None:
    assert runs.state(FLOW, now=NOW) == FlowState(None, None)
    runs.schedule(FLOW, 120)
    runs.schedule(FLOW, 60)
    runs.begin(FLOW, "one", now=NOW, until=NOW + 30)
    assert runs.state(FLOW, now=NOW + 30) == FlowState(60, "one")
    assert runs.state(FLOW, now=NOW + 31) == FlowState(60, None)
    runs.end(FLOW, "one")
    assert runs.state(FLOW, now=NOW) == FlowState(60, None)
    assert runs.state("housing-ml", now=NOW) == FlowState(None, None)


def test_who_serves_can_be_dismissed_by_those_who_know_who_it_is(runs: Runs) -> None:
    first, second = (Champion("sales-shadow", one, "keras", "", "run", 0) for one in ("a", "b"))
    assert not runs.dismiss(first)
    assert runs.crown(first, replacing=None)
    assert not runs.dismiss(second)
    assert runs.champion("sales-shadow") == first
    back = Decision(NOW, "sales-shadow", "hand", "none", "a", True, "rolled back", 0, None, None)
    assert not runs.dismiss(second, decision=back)
    assert runs.decisions("sales-shadow", limit=9) == []
    assert runs.dismiss(first, decision=back)
    assert runs.champion("sales-shadow") is None
    assert runs.decisions("sales-shadow", limit=9) == [back]


def test_a_model_s_file_is_kept_byte_for_byte(runs: Runs) -> None:
    with pytest.raises(NotFound, match="no file of model abc"):
        runs.model("abc")
    content = bytes(range(256)) * 1_170
    runs.keep_model("abc", content)
    runs.keep_model("abc", content)
    assert runs.model("abc") == content


def test_what_is_true_of_a_sale_is_kept_and_can_be_told_anew(runs: Runs) -> None:
    runs.tell({"a": True, "b": False})
    runs.tell({"b": True})
    assert runs.told(["a", "b", "c"]) == {"a": True, "b": True}
    assert runs.told([]) == {}


def test_how_far_a_flow_has_come_is_what_was_kept_last(runs: Runs) -> None:
    assert runs.progress(FLOW) is None
    for text in ("one", "", '{"day": "2031-05-01"}'):
        runs.keep_progress(FLOW, text)
        assert runs.progress(FLOW) == text
    assert runs.progress("another") is None
    assert runs.state(FLOW, now=NOW) == FlowState(None, None)
