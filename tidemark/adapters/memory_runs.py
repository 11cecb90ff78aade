"""The pipelines' ports in memory, for tests: they pass the same contract tests as the real adapters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tidemark import runs
from tidemark.errors import NotFound
from tidemark.models.champion import Champion, Decision
from tidemark.ports import OCTETS, Found, Object, Objects, Runs
from tidemark.runs import Batch, FlowState, Run, RunPage, Status


class MemoryObjects(Objects):
    """A bucket in memory."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self.stated: dict[str, dict[str, str]] = {}
        self._types: dict[str, str] = {}
        self._modified: dict[str, int] = {}
        self._puts = 0

    def put(
        self,
        key: str,
        content: bytes,
        *,
        content_type: str = OCTETS,
        stated: Mapping[str, str] | None = None,
    ) -> None:
        self.contents[key] = content
        self.stated[key] = dict(stated or {})
        self._types[key] = content_type
        self._puts += 1
        self._modified[key] = self._puts

    def get(self, key: str) -> bytes:
        if key not in self.contents:
            raise NotFound(f"there is no {key!r}")
        return self.contents[key]

    def fetch(self, key: str) -> Object:
        return Object(self.get(key), self.stated.get(key, {}), str(self._modified[key]), self._types[key])

    def find(self, prefix: str) -> list[Found]:
        return [
            Found(key, self._modified[key], len(content))
            for key, content in sorted(self.contents.items())
            if key.startswith(prefix)
        ]

    def remove(self, key: str) -> None:
        self.contents.pop(key, None)

    def move(self, key: str, to: str, *, version: str) -> None:
        if key in self.contents and str(self._modified[key]) == version:
            self.put(to, self.contents.pop(key), content_type=self._types[key], stated=self.stated.pop(key, {}))


class MemoryRuns(Runs):
    """The pipelines' index in memory."""

    def __init__(self) -> None:
        self._runs: dict[tuple[str, str], Run] = {}
        self._contents: dict[str, str] = {}
        self._batches: dict[str, Batch] = {}
        self._decisions: dict[tuple[str, str], Decision] = {}
        self._champions: dict[str, Champion] = {}
        self._models: dict[str, bytes] = {}
        self._truth: dict[str, bool] = {}
        self._at_work: dict[str, tuple[str, int]] = {}
        self._schedules: dict[str, int] = {}
        self._came: dict[str, str] = {}

    def add(self, run: Run) -> None:
        self._runs[run.flow, run.id] = run

    def get(self, flow: str, run: str) -> Run:
        if (flow, run) not in self._runs:
            raise NotFound(f"there is no run {run!r} of {flow}")
        return self._runs[flow, run]

    def page(self, flow: str, *, limit: int, cursor: str | None = None, status: Status | None = None) -> RunPage:
        before = runs.read_cursor(cursor) if cursor else "~"
        found = [
            run
            for (name, key), run in sorted(self._runs.items(), reverse=True)
            if name == flow and key < before and status in (None, run.status)
        ]
        return RunPage(found[:limit], found[limit - 1].id if len(found) > limit else None)

    def claim(self, sha256: str, batch: str) -> str:
        return self._contents.setdefault(sha256, batch)

    def batch(self, identity: str) -> Batch | None:
        return self._batches.get(identity)

    def add_batch(self, batch: Batch) -> None:
        self._batches[batch.id] = batch

    def batches(self, *, limit: int) -> list[Batch]:
        return [batch for _, batch in sorted(self._batches.items(), reverse=True)][:limit]

    def add_decision(self, decision: Decision) -> None:
        self._decisions[decision.model, f"{decision.at:013d}-{decision.challenger}"] = decision

    def decisions(self, model: str, *, limit: int) -> list[Decision]:
        return [one for (name, _), one in sorted(self._decisions.items(), reverse=True) if name == model][:limit]

    def champion(self, model: str) -> Champion | None:
        return self._champions.get(model)

    def crown(self, champion: Champion, *, replacing: Champion | None, decision: Decision | None = None) -> bool:
        serving = self._champions.get(champion.model)
        if (serving and serving.fingerprint) != (replacing and replacing.fingerprint):
            return serving == champion
        self._champions[champion.model] = champion
        if decision is not None:
            self.add_decision(decision)
        return True

    def dismiss(self, champion: Champion, *, decision: Decision | None = None) -> bool:
        serving = self._champions.get(champion.model)
        if serving is None or serving.fingerprint != champion.fingerprint:
            return False
        del self._champions[champion.model]
        if decision is not None:
            self.add_decision(decision)
        return True

    def keep_model(self, fingerprint: str, content: bytes) -> None:
        self._models[fingerprint] = content

    def model(self, fingerprint: str) -> bytes:
        if fingerprint not in self._models:
            raise NotFound(f"there is no file of model {fingerprint}")
        return self._models[fingerprint]

    def tell(self, truth: Mapping[str, bool]) -> None:
        self._truth.update(truth)

    def told(self, invoice_ids: Iterable[str]) -> dict[str, bool]:
        return {name: self._truth[name] for name in invoice_ids if name in self._truth}

    def begin(self, flow: str, holder: str, *, now: int, until: int) -> str | None:
        found = self._at_work.get(flow)
        if found and found[0] != holder and found[1] >= now:
            return found[0]
        self._at_work[flow] = (holder, until)
        return None

    def end(self, flow: str, holder: str) -> None:
        if self._at_work.get(flow, ("", 0))[0] == holder:
            del self._at_work[flow]

    def keep_progress(self, flow: str, text: str) -> None:
        self._came[flow] = text

    def progress(self, flow: str) -> str | None:
        return self._came.get(flow)

    def schedule(self, flow: str, seconds: int) -> None:
        self._schedules[flow] = seconds

    def state(self, flow: str, *, now: int) -> FlowState:
        holder, until = self._at_work.get(flow, (None, 0))
        return FlowState(self._schedules.get(flow), holder if until >= now else None)
