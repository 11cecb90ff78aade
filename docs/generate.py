"""Writes the documentation that is generated from the code; `make docs` runs it, a test checks that it was run."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.scale import page as scale
from simulator import rich
from tidemark import metrics, rules, sale, settings

DOCS = Path(__file__).resolve().parent


def contents() -> dict[str, str]:
    """Each generated file's name and text."""
    return {
        "sale.schema.json": json.dumps(sale.json_schema(), indent=2) + "\n",
        "settings.md": _settings(),
        "rules.md": _rules(),
        "rich.md": _rich(),
        "metrics.md": _metrics(),
        "scale.md": scale.filled_in((DOCS / "scale.md").read_text()),
    }


def _settings() -> str:
    rows = [
        f"| `{name}` | {f'`{default}`' if default else '–'} | {text} |" for name, default, text in settings.documented()
    ]
    return "\n".join(
        [
            "# Settings",
            "",
            "Generated from `tidemark/settings.py` (`make docs`). Each is an environment variable, read once a",
            "process. `tidemark up` and the CDK stack set those without a default.",
            "",
            "| variable | default | what it is |",
            "| --- | --- | --- |",
            *rows,
            "",
        ]
    )


def _rules() -> str:
    rows = [f"| `{name}` | {text} |" for name, (text, _) in rules.RULES.items()]
    return "\n".join(
        [
            "# Rules",
            "",
            "Generated from `tidemark/rules.py` (`make docs`). A sale that a rule hits is stored, counted and flagged.",
            "",
            "| flag | when |",
            "| --- | --- |",
            *rows,
            "",
        ]
    )


def _metrics() -> str:
    return "\n".join(
        [
            "# Metrics",
            "",
            "Generated from `tidemark/metrics.py` (`make docs`). Each is a line of its part's log, of which CloudWatch",
            "makes a metric: namespace `Tidemark`, dimension `service` and those named. The emulator keeps the lines,",
            "but makes no metrics of them. The page *Operations* rests on none of them: ws_server keeps what it shows.",
            "",
            "| metric | kind | unit | what it is | dimensions |",
            "| --- | --- | --- | --- | --- |",
            *(
                f"| `{m.service}.{m.name}` | {m.kind} | {m.unit} | {m.what} | {', '.join(('service', *m.dimensions))} |"
                for m in metrics.METRICS
            ),
            "",
            "What AWS keeps of its own parts, and dashboards and alarms use:",
            "",
            "| of | metrics | what they are |",
            "| --- | --- | --- |",
            *(f"| {of} | {names} | {what} |" for of, names, what in metrics.OF_AWS),
            "",
        ]
    )


def _rich() -> str:
    rows = [f"| {name} | {text} |" for name, text in rich.LAWS.items()]
    return "\n".join(
        [
            "# The rich world",
            "",
            "Generated from `simulator/rich.py` (`make docs`). What `tidemark simulate --source rich` draws has these",
            "effects and no others: what a model finds can be held against them. A test finds each in what is drawn. A",
            "day is drawn from the seed and its own number alone, so that any stretch is the same again.",
            "",
            "| what | effect |",
            "| --- | --- |",
            *rows,
            "",
        ]
    )


if __name__ == "__main__":
    for name, text in contents().items():
        (DOCS / name).write_text(text)
