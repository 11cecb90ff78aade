"""Which sales models are kept and who serves: by the gate, by hand, and back again."""

from __future__ import annotations

import msgspec
import pytest

from tidemark.adapters.memory_runs import MemoryObjects, MemoryRuns
from tidemark.errors import Misuse, NotFound, TidemarkError
from tidemark.models import sales_model
from tidemark.models.champion import Champion, Decision, Gain
from tidemark.models.keys import RESULT, SALES, SALES_FILE, SHADOW, folder
from tidemark.models.registry import Made
from tidemark.models.sales_registry import BUNDLED, SalesRegistry

CONTENT = sales_model.loads((BUNDLED / SALES_FILE).read_bytes())
RESULTS = (BUNDLED / RESULT).read_bytes()


class Stage:
    """A registry with what is behind it."""

    def __init__(self) -> None:
        self.runs, self.objects = MemoryRuns(), MemoryObjects()
        self.registry = SalesRegistry(self.runs, self.objects)
        self.at = 0

    def keep(self, version: str) -> str:
        """Keep the committed model under another name; its fingerprint."""
        content = sales_model.dumps(msgspec.structs.replace(CONTENT, version=version))
        return self.registry.keep(Made(content, b"network", RESULTS, f"# {version}"))

    def promote(self, version: str, *, replacing: Champion | None) -> str:
        """Keep and crown a model; its fingerprint."""
        fingerprint = self.keep(version)
        self.at += 1
        decision = Decision(
            at=self.at,
            model=SALES,
            run=f"run-{version}",
            challenger=fingerprint,
            champion=replacing.fingerprint if replacing else None,
            promoted=True,
            reason="promoted",
            rows=10,
            over_baseline=Gain(1, 0.5, 1.5),
            over_champion=None,
        )
        assert self.registry.crown(fingerprint, decision, version="1", replacing=replacing)
        return fingerprint

    def back(self) -> Decision:
        self.at += 1
        return self.registry.roll_back(at=self.at, by="hand")

    @property
    def champion(self) -> str | None:
        found = self.runs.champion(SALES)
        return found.fingerprint if found else None


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_what_came_with_the_code_serves_before_the_first_champion(stage: Stage) -> None:
    serving = stage.registry.serving()
    assert serving.champion is None
    assert serving.model == CONTENT
    assert serving.kept.card.startswith(f"# Model card: {CONTENT.version}")
    assert {one.part: one.better for one in serving.kept.worth} == {
        "Anomaly score": True,
        "Basket value": False,
        "Segment": False,
    }


def test_a_champion_serves_with_its_own_card(stage: Stage) -> None:
    fingerprint = stage.promote("second", replacing=None)
    serving = stage.registry.serving()
    assert serving.champion is not None
    assert (serving.champion.fingerprint, serving.champion.version) == (fingerprint, "1")
    assert (serving.model.version, serving.kept.card) == ("second", "# second")


def test_a_champion_whose_file_is_another_does_not_serve(stage: Stage) -> None:
    fingerprint = stage.promote("second", replacing=None)
    stage.runs.keep_model(fingerprint, (BUNDLED / SALES_FILE).read_bytes())
    with pytest.raises(TidemarkError, match="is not the one that was promoted"):
        stage.registry.serving()


def test_rolling_back_goes_one_further_each_time_to_what_came_with_the_code(stage: Stage) -> None:
    found = [stage.promote(version, replacing=stage.runs.champion(SALES)) for version in ("a", "b", "c")]
    for earlier in reversed(found[:-1]):
        decision = stage.back()
        assert stage.champion == decision.challenger == earlier
        assert decision.reason == f"rolled back by hand: {earlier} serves again"
        assert stage.registry.serving().model.version in ("a", "b")
    assert "the model that came with the code serves" in stage.back().reason
    assert stage.champion is None
    assert [one.promoted for one in stage.runs.decisions(SALES, limit=10)] == [True] * 6
    with pytest.raises(Misuse, match="there is no champion to roll back"):
        stage.back()


def test_a_model_after_a_roll_back_can_be_rolled_back_again(stage: Stage) -> None:
    first = stage.promote("a", replacing=None)
    stage.promote("b", replacing=stage.runs.champion(SALES))
    stage.back()
    stage.promote("c", replacing=stage.runs.champion(SALES))
    stage.back()
    assert stage.champion == first


def test_nobody_is_rolled_back_to_a_file_that_is_gone_or_another(stage: Stage) -> None:
    first = stage.promote("a", replacing=None)
    last = stage.promote("b", replacing=stage.runs.champion(SALES))
    stage.runs.keep_model(first, b"rubbish")
    with pytest.raises(TidemarkError, match="is not the one that was promoted"):
        stage.back()
    assert stage.champion == last


def test_one_that_was_overtaken_is_not_crowned(stage: Stage) -> None:
    before = stage.runs.champion(SALES)
    stage.promote("a", replacing=before)
    late = stage.keep("late")
    decision = stage.runs.decisions(SALES, limit=1)[0]
    assert not stage.registry.crown(late, decision, version=None, replacing=before)
    assert stage.registry.serving().model.version == "a"


def test_a_shadow_scores_until_another_does_or_one_is_promoted(stage: Stage) -> None:
    for version in ("x", "y"):
        fingerprint = stage.keep(version)
        stage.registry.shadow(fingerprint, run="hand", at=1)
        shadow = stage.runs.champion(SHADOW)
        assert shadow is not None
        assert shadow.fingerprint == fingerprint
    stage.promote("z", replacing=None)
    assert stage.runs.champion(SHADOW) is None
    assert stage.registry.no_shadow() is None


def test_nothing_that_is_not_kept_or_not_whole_is_a_shadow(stage: Stage) -> None:
    with pytest.raises(NotFound, match="there is no file of model nothing"):
        stage.registry.shadow("nothing", run="hand", at=1)
    stage.runs.keep_model("broken", b"rubbish")
    with pytest.raises(TidemarkError, match="is not the one that was promoted"):
        stage.registry.shadow("broken", run="hand", at=1)
    assert stage.runs.champion(SHADOW) is None


def test_all_of_a_model_is_kept(stage: Stage) -> None:
    fingerprint = stage.keep("whole")
    kept = {
        found.key.removeprefix(folder(SALES, fingerprint)) for found in stage.objects.find(folder(SALES, fingerprint))
    }
    assert kept == {"CARD.md", "result.json", "model.keras"}
    assert sales_model.fingerprint(stage.runs.model(fingerprint)) == fingerprint
