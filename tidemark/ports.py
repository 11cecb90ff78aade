"""The ports: what the domain needs of the outside. Adapters are in `tidemark/adapters/`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from tidemark.cells import Cell, CellKey
from tidemark.feedback import Remark
from tidemark.history.calendar import PeriodKey, Range
from tidemark.history.periods import Head, Period
from tidemark.ledger import Attempt, Counted, Entry
from tidemark.models.champion import Champion, Decision
from tidemark.runs import Batch, FlowState, Run, RunPage, Status
from tidemark.sale import Sale

OCTETS = "application/octet-stream"
Item = dict[str, Any]
"""An item as its table holds it, in DynamoDB's form: attribute to {type: value}."""


class SalesPage(msgspec.Struct, frozen=True):
    """Some sales in the order of their time, and where to go on from, None at the end."""

    sales: list[Entry]
    cursor: str | None


class Conflict(msgspec.Struct, frozen=True):
    """A sale that came with the id of another: kept apart, so that nothing is lost or overwritten."""

    sale: Sale
    digest: str
    ledger_digest: str
    received_at: int


class Ledger(ABC):
    """The sales and the cells that count them, written together or not at all."""

    @abstractmethod
    def commit(self, attempt: Attempt) -> None:
        """All of the attempt, at once.

        Raises Cancelled where the store refused it (nothing is written) and InDoubt where nobody can say.
        """

    @abstractmethod
    def blank(self, entry: Entry) -> None:
        """Keep a sale that is there without what is personal of it; all else stays, its digest too. Again is harmless.

        Raises NotFound where there is none.
        """

    @abstractmethod
    def quarantine(self, conflicts: Sequence[Conflict]) -> None:
        """Keep the conflicts, each once by (id, digest), the last that came. Raises Unavailable where that cannot be
        done now."""

    @abstractmethod
    def quarantined(self) -> Iterator[Conflict]:
        """Every conflict kept."""

    @abstractmethod
    def conflicts(self, invoice_id: str, *, limit: int) -> list[Conflict]:
        """What came with this id and another content, oldest first, read consistently.

        Where there are more than `limit`, that many of them.
        """

    @abstractmethod
    def get(self, invoice_id: str) -> Counted | None:
        """One sale, read consistently."""

    @abstractmethod
    def sales(self, branch: str, since: int, until: int, *, limit: int, cursor: str | None = None) -> SalesPage:
        """A branch's sales with `since <= minute < until`, oldest first, `limit` at most.

        Raises BadRequest where `cursor` is none that an earlier page gave.
        """

    @abstractmethod
    def scan(self) -> Iterator[Counted]:
        """Every sale, in any order, read consistently."""


class CellsPage(msgspec.Struct, frozen=True):
    """Some cells, and where to go on from, None at the end."""

    cells: list[Cell]
    cursor: str | None


class Cells(ABC):
    """The cells as they lie, those among them that are marked for history: who counts them asks `Counters`."""

    @abstractmethod
    def page(self, *, limit: int, cursor: str | None = None) -> CellsPage:
        """Some of all cells, about `limit` at most, in any order, read consistently.

        Raises BadRequest where `cursor` is none that an earlier page gave.
        """

    @abstractmethod
    def read(self, since: int | None = None, until: int | None = None) -> Iterator[Cell]:
        """Every cell with `since <= minute < until`, each once, in any order, read consistently."""

    @abstractmethod
    def get_cells(self, keys: Iterable[CellKey]) -> list[Cell]:
        """Those of some cells that are there, read consistently."""


class History(ABC):
    """The periods into which cells are moved, and the moving. Only a compactor writes it.

    A transaction raises Cancelled where the store refused it (nothing is written) and InDoubt where nobody can say.
    Others see its items change one by one.
    """

    @abstractmethod
    def heads(self) -> dict[str, Head]:
        """How far each branch's history has come, read consistently."""

    @abstractmethod
    def head(self, branch: str) -> Head | None:
        """How far one branch's history has come, read consistently."""

    @abstractmethod
    def periods(self, branch: str, found: Range) -> Iterator[Period]:
        """A branch's periods in a range, the earliest first, read consistently."""

    @abstractmethod
    def get_periods(self, keys: Iterable[PeriodKey]) -> dict[PeriodKey, Period]:
        """Those of some periods that are there, read consistently."""

    @abstractmethod
    def claim(self, head: Head, before: Head | None, cells: Sequence[Cell]) -> None:
        """One transaction: put the head in place of `before`, and mark the cells for its move, each at its version.

        A marked cell is one version on, so that its writer can no longer change it.
        """

    @abstractmethod
    def settle(self, head: Head, periods: Sequence[Period], before: Mapping[PeriodKey, Period]) -> None:
        """One transaction: put the periods in place of those before, and for the pending head the settled one."""

    @abstractmethod
    def sweeps(self) -> int:
        """How often moved cells have been swept away, read consistently."""

    @abstractmethod
    def add_sweep(self) -> None:
        """Tell all readers that moved cells are about to be swept away. Raises InDoubt; again is harmless."""

    @abstractmethod
    def sweep(self, keys: Sequence[CellKey]) -> None:
        """Delete cells whose move is done. Raises InDoubt; again is harmless."""


class LiveStream(ABC):
    """What those who watch are told, after the commit."""

    @abstractmethod
    def publish(
        self, cells: Iterable[Cell], anomalies: Iterable[Entry], *, request: str = "", committed_at: int = 0
    ) -> None:
        """Tell the new absolute state of cells, and the anomalous sales just taken. Raises Unavailable.

        `request`: what the call is known by that brought them; `committed_at`: when it was committed, milliseconds
        since 1970, 0 where nobody knows.
        """

    def tally(self, **counts: int) -> None:  # noqa: B027  # whoever counts nothing need not say so
        """Add to the counts of the day, as far as that can be done now: no promise rests on them. Never raises."""


class FeedbackPage(msgspec.Struct, frozen=True):
    """Some remarks, newest first, and where to go on from, None at the end."""

    feedback: list[Remark]
    cursor: str | None


class Feedback(ABC):
    """What those who look at the pages say of them."""

    @abstractmethod
    def add(self, remark: Remark) -> None:
        """Keep a remark; the same one again changes nothing. Raises Unavailable where that cannot be done now."""

    @abstractmethod
    def page(self, *, limit: int, cursor: str | None = None) -> FeedbackPage:
        """Some remarks, newest first, `limit` at most, read consistently.

        Raises BadRequest where `cursor` is none that an earlier page gave.
        """


class Found(msgspec.Struct, frozen=True):
    """An object in a bucket: `modified` is in milliseconds since 1970."""

    key: str
    modified: int
    size: int


class Object(msgspec.Struct, frozen=True):
    """An object as it stood at one moment: content, what its sender stated of it, which version it is, and its type."""

    content: bytes
    stated: dict[str, str]
    version: str
    content_type: str = OCTETS


class Place(ABC):
    """Where files are kept by key: a folder, or a bucket or a part of one."""

    @abstractmethod
    def put(self, key: str, content: bytes) -> None:
        """Write a file, whole or not at all."""

    @abstractmethod
    def get(self, key: str) -> bytes:
        """A file's content. Raises NotFound where there is none."""

    @abstractmethod
    def find(self, prefix: str) -> list[Found]:
        """Every file below a prefix, in the order of their keys."""

    @abstractmethod
    def remove(self, key: str) -> None:
        """Remove a file; where there is none, nothing happens."""


class Objects(Place):
    """A bucket."""

    @abstractmethod
    def put(
        self,
        key: str,
        content: bytes,
        *,
        content_type: str = OCTETS,
        stated: Mapping[str, str] | None = None,
    ) -> None:
        """Write an object, whole or not at all, with what is stated of it."""

    @abstractmethod
    def fetch(self, key: str) -> Object:
        """An object whole. Raises NotFound where there is none."""

    @abstractmethod
    def move(self, key: str, to: str, *, version: str) -> None:
        """Give an object another name; where it has it already, or is another version by now, nothing happens."""


class Runs(ABC):
    """The index of the pipelines: runs, batches, decisions, champions, schedules, and who is at work."""

    @abstractmethod
    def add(self, run: Run) -> None:
        """Keep a run in place of what was kept of it before; the same one again changes nothing."""

    @abstractmethod
    def get(self, flow: str, run: str) -> Run:
        """One run. Raises NotFound where there is none."""

    @abstractmethod
    def page(self, flow: str, *, limit: int, cursor: str | None = None, status: Status | None = None) -> RunPage:
        """Some runs of a flow, newest first; with `status` those alone that ended so.

        Raises BadRequest where `cursor` is none that an earlier page gave.
        """

    @abstractmethod
    def claim(self, sha256: str, batch: str) -> str:
        """The id of the batch that first came with this content: `batch`, where none did before."""

    @abstractmethod
    def batch(self, identity: str) -> Batch | None:
        """What became of a batch; None where it has not been dealt with to the end."""

    @abstractmethod
    def add_batch(self, batch: Batch) -> None:
        """Keep what became of a batch; the same one again changes nothing."""

    @abstractmethod
    def batches(self, *, limit: int) -> list[Batch]:
        """What became of the newest batches, newest first."""

    @abstractmethod
    def add_decision(self, decision: Decision) -> None:
        """Keep what the gate said; the same again changes nothing."""

    @abstractmethod
    def decisions(self, model: str, *, limit: int) -> list[Decision]:
        """What the gate said of the newest challengers, newest first."""

    @abstractmethod
    def champion(self, model: str) -> Champion | None:
        """Who serves."""

    @abstractmethod
    def crown(self, champion: Champion, *, replacing: Champion | None, decision: Decision | None = None) -> bool:
        """Let a model serve in another's place, and keep the decision with it: both or neither.

        False, and nothing happens, where another serves by now.
        """

    @abstractmethod
    def dismiss(self, champion: Champion, *, decision: Decision | None = None) -> bool:
        """Let a model serve no longer, and none in its place, and keep the decision with it: both or neither.

        False, and nothing happens, where another serves by now.
        """

    @abstractmethod
    def keep_model(self, fingerprint: str, content: bytes) -> None:
        """Keep a model's file where those that serve read it; at most 400 kB."""

    @abstractmethod
    def model(self, fingerprint: str) -> bytes:
        """A model's file. Raises NotFound where there is none."""

    @abstractmethod
    def tell(self, truth: Mapping[str, bool]) -> None:
        """Keep of some sales whether they were anomalies; what was told of one before is replaced."""

    @abstractmethod
    def told(self, invoice_ids: Iterable[str]) -> dict[str, bool]:
        """Of those of some sales whose truth is known, whether they were anomalies."""

    @abstractmethod
    def begin(self, flow: str, holder: str, *, now: int, until: int) -> str | None:
        """Be the one run of a flow that works, until some time (milliseconds since 1970); again, to go on longer.

        Returns None, or the run that is at work already.
        """

    @abstractmethod
    def end(self, flow: str, holder: str) -> None:
        """Work no longer."""

    @abstractmethod
    def keep_progress(self, flow: str, text: str) -> None:
        """Keep how far a flow has come, in place of what was kept of it before."""

    @abstractmethod
    def progress(self, flow: str) -> str | None:
        """How far a flow has come, read consistently; None where it has kept nothing."""

    @abstractmethod
    def schedule(self, flow: str, seconds: int) -> None:
        """Say how often a flow runs."""

    @abstractmethod
    def state(self, flow: str, *, now: int) -> FlowState:
        """How often a flow runs, and which run is at work at `now`, milliseconds since 1970."""


class Items(ABC):
    """A table as it lies: whole items, whatever they mean. For copying a deployment, and for nothing else."""

    @property
    @abstractmethod
    def keys(self) -> tuple[str, ...]:
        """The attributes that are an item's key."""

    @abstractmethod
    def scan(self) -> Iterator[Item]:
        """Every item, in any order, read consistently. Of one moment it is not: others write meanwhile."""

    @abstractmethod
    def get(self, keys: Sequence[Item]) -> list[Item]:
        """Those of some items that are there, read consistently, in any order; `keys` may be whole items."""

    @abstractmethod
    def put_absent(self, items: Sequence[Item]) -> list[Item]:
        """Put each item where none has its key. Returns the items that stood in the place of others.

        Raises Unavailable where the table does not answer: some are written then, and again is right.
        """
