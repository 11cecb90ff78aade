"""The report of a study."""

from __future__ import annotations

from tidemark.analysis.report.discussion import discussion
from tidemark.analysis.report.document import Block, Document, Grid, Heading, Paragraph
from tidemark.analysis.report.methodology import methodology
from tidemark.analysis.report.results import results
from tidemark.analysis.report.study import Study, name_of


def report(study: Study) -> Document:
    """All sections, in their order."""
    title = f"{name_of(study.source)}: what is in it, and what predicts {study.prediction[0].target}"
    blocks = [*methodology(study), *_implementation(study), *results(study), *discussion(study)]
    return Document(title, study.source.about, blocks)


def _implementation(study: Study) -> list[Block]:
    versions = [[name, found] for name, found in study.versions.items()]
    return [
        Heading(1, "Implementation"),
        Paragraph(
            "Python. Reading and preparing is tidemark/analysis/frame.py, with DuckDB; identities leakage.py; "
            "descriptive statistics and dependence describe.py; shape unsupervised.py; splits, algorithms and "
            "judging splits.py, learners.py and supervised.py; importance, partial dependence, parts and calibration "
            "explain.py; this report report/. The same results stand on the pages Groups and Prediction, from the "
            "same functions. Text and figures of this report are generated from the run; none is typed in."
        ),
        Grid("What the figures were made with.", ("", "version"), versions),
        Paragraph(
            f"The run took {study.seconds:.0f} s on the clock and {study.core_seconds:.0f} s of a core. Scikit-learn "
            "is held to one thread, which changes no figure."
        ),
    ]
