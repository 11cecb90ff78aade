"""The card of a model that serves, from the run that made it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from training.corruption import IN_RANGE
from training.evidence import Estimate

if TYPE_CHECKING:
    from training.served import Result


def text(result: Result) -> str:
    """The card, in Markdown."""
    found, worth, kinds = result.anomaly, result.basket, result.segmentation
    faults = [
        f"| {one.kind} | {'yes' if one.known else 'no'} | {one.auc.ours.value:.3f} ({_span(one.auc.ours)}) | "
        f"{one.auc.theirs.value:.3f} | {one.recall:.1%} | {one.with_rules:.1%} |"
        for one in found.faults
    ]
    settings = [
        f"- {tower}: {', '.join(f'{name} {value:.4g}' for name, value in chosen.items())}"
        for tower, chosen in result.settings.items()
    ]
    said = "The interval 10 to 90 holds" if worth.better else "Since nothing was learnt, the interval 10 to 90 holds"
    return "\n".join(
        [
            f"# Model card: {result.version}",
            "",
            "Written by `python -m training.served`; every figure is from that run. Fingerprint "
            f"`{result.fingerprint}`, {result.bytes:,} bytes (float32 TFLite with its probe); Keras and TFLite differ "
            f"by {result.parity:.1e} at most.",
            "",
            f"Learnt from {result.rows:,} sales of {result.origin}. Split by time: 60 % to learn, 20 % to choose "
            f"settings and threshold, 20 % ({result.judged:,} sales) to judge. Data {result.tags['data']}, code "
            f"{result.tags['code']}; {result.tags['environment']}.",
            "",
            "Settings chosen:",
            "",
            *settings,
            "",
            "## Anomaly score",
            "",
            "How much a sale looks like something else than this store's sales. Threshold "
            f"{found.threshold:.4f}, set on clean sales; false alarms on held-out clean ones "
            f"{found.false_alarms.value:.2%} ({found.false_alarms.low:.2%} to {found.false_alarms.high:.2%}).",
            "",
            "| fault | a rule names it, learnt against | AUC | isolation forest | found by the score | with rules |",
            "| --- | --- | --- | ---: | ---: | ---: |",
            *faults,
            "",
            "What it cannot do: where columns are independent of one another, as in the Kaggle file, a wrong value "
            f"that lies in the usual range (`{IN_RANGE}`) cannot be seen by anybody: an AUC of .5 is a coin. The rules "
            "find what they name with certainty; the score stands beside them, it does not replace them.",
            "",
            "## Basket value",
            "",
            "Quantiles 10/50/90 of a basket's value, from branch, product line, customer type, payment, hour, weekday.",
            f"Pinball loss of the log {worth.ours.value:.4f} ({_span(worth.ours)}), of constant quantiles "
            f"{worth.theirs.value:.4f}: **{worth.verdict}**. {said} {result.covered.value:.1%} "
            f"({result.covered.low:.1%} to {result.covered.high:.1%}) of held-out baskets; 80 % is meant.",
            "",
            "## Segment",
            "",
            f"Silhouette of {len(kinds.centres)} segments {kinds.silhouette.ours.value:.3f}, of shuffled columns "
            f"{kinds.silhouette.theirs.value:.3f}: **{kinds.silhouette.verdict}**; stability {kinds.stability:.2f}. It "
            f"says: {', '.join(f'“{name}”' for name in result.segments)}.",
            "",
            "## What it must not be used for",
            "",
            "Forecasting, stock, or judging customers or staff; and no figure of it where the lines above say that it "
            "is no better than its baseline. It knows the store's codes, prices and hours as they were when it "
            "learnt: after a change of assortment or prices it is to be trained anew.",
            "",
        ]
    )


def _span(found: Estimate) -> str:
    return f"{found.low:.3f} to {found.high:.3f}"
