"""What a data run says of itself."""

from __future__ import annotations

import pytest

from tidemark.housing import data_report
from tidemark.housing.data_report import Monitoring
from tidemark.housing.monitoring import freshness
from tidemark.runs import Batch, Intake, Run


def batch(*, accepted: int = 0, bad: int = 0, refused: bool = False) -> Batch:
    rows = accepted + bad
    return Batch("b", "b.csv", "0" * 64, 0, "r", rows, accepted, bad, 0, "It is cut off." if refused else None)


@pytest.mark.parametrize(
    ("intake", "words"),
    [
        (Intake([], {}), "7 blocks known; 0 batches came"),
        (Intake([batch(accepted=7)], {}), "7 blocks known; 1 batch came with 7 new blocks"),
        (
            Intake([batch(accepted=7, bad=1), batch(bad=9, refused=True)], {}),
            "7 blocks known; 2 batches came with 7 new blocks; 1 of them is in quarantine whole; "
            "1 row of the others in quarantine",
        ),
        (Intake([], {"x": "why"}), "7 blocks known; 0 batches came; 1 cannot be taken just now, and waits"),
        (Intake([], {"x": "why", "y": "why"}), "7 blocks known; 0 batches came; 2 cannot be taken just now, and wait"),
    ],
)
def test_the_headline_tells_what_became_of_all_that_came(intake: Intake, words: str) -> None:
    assert data_report.headline(7, intake) == words


def test_the_report_names_what_could_not_be_taken_and_why() -> None:
    intake = Intake([], {"housing/incoming/<b>.csv": "OSError: the disk | is full"})
    run = Run("1795231740000-abc", "housing-data", "f", "skipped", 1795231740000, 1795231741000, "nothing")
    text = data_report.report(run, intake, [], {}, Monitoring(freshness(None, 0, 120, stuck=1), None, None, None))
    (line,) = (line for line in text.splitlines() if "OSError" in line)
    assert r"housing/incoming/\<b\>.csv" in line
    assert r"the disk \| is full" in line
