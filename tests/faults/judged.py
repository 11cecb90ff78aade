"""Whether all that was promised holds, after a schedule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tests.faults.page import summed
from tests.faults.tills import digest_of
from tests.faults.world import World
from tidemark import audit
from tidemark.cells import Measures
from tidemark.lake_audit import audit_lake
from tidemark.lake_view import named


def differences(found: World) -> list[str]:
    """What is not as it was promised, in words: counters, lake, page and answers against the ledger."""
    entries = {counted.entry.invoice_id: counted for counted in found.ledger.scan()}
    wrong = audit.audit(found.ledger, found.counters, found.history).differences
    lake = audit_lake(found.ledger, found.lake, found.folder, now=lambda: 4e9)
    wrong += [f"lake: {what} {name}" for what in ("missing", "different", "unknown") for name in getattr(lake, what)]
    wrong += _page(found, {name: counted.entry.measures() for name, counted in entries.items()})
    wrong += found.trainer.differences(counted.entry for counted in entries.values())
    accepted: Counter[str] = Counter()
    conflicts = set()
    for till in found.tills:
        for batch, results in till.answers:
            for row, result in zip(batch, results, strict=True):
                name, status = row["invoice_id"], result["status"]
                held = entries.get(name)
                if row["quantity"] < 0:
                    good = status == "rejected" and held is None
                elif held is None:
                    good = False
                elif held.digest == digest_of(row):
                    good = status == "duplicate" or (status, result["score"]) == ("accepted", held.entry.score)
                    accepted[name] += status == "accepted"
                else:
                    good = status == "conflict"
                    conflicts.add((name, digest_of(row)))
                if not good:
                    wrong.append(f"{name} was answered {status}, and the ledger says otherwise")
    wrong += [f"{name} was accepted {times} times" for name, times in accepted.items() if times > 1]
    wrong += [f"{name} is in the ledger, and nobody posted it" for name in entries if name not in found.posted]
    wrong += [f"{name} was posted and is not in the ledger" for name in found.posted if name not in entries]
    wrong += [f"{name} names its customer still" for name, counted in entries.items() if counted.entry.customer_id]
    wrong += [f"lake: {name} names its customer still" for name, _ in named(found.folder)]
    in_quarantine = list(found.ledger.quarantined())
    wrong += [f"{c.sale.invoice_id}, a conflict, names its customer still" for c in in_quarantine if c.sale.customer_id]
    quarantined = {(conflict.sale.invoice_id, conflict.digest) for conflict in in_quarantine}
    wrong += [f"{name}, a conflict, is not in quarantine" for name, _ in conflicts - quarantined]
    wrong += [
        f"{name} is in quarantine without a reason"
        for name, kept in quarantined
        if kept not in found.posted.get(name, set()) or entries[name].digest == kept
    ]
    return wrong


def _page(found: World, held: dict[str, Measures]) -> Iterator[str]:
    shown = found.page.sums()
    lines = {f"line {name.removeprefix('sale-')}": values for name, values in held.items()}
    for line in sorted({*shown, *lines}):
        if line not in shown or line not in lines or summed(shown[line]) != lines[line]:
            yield f"page: {line} is {shown.get(line)}, {lines.get(line)} in the ledger"
