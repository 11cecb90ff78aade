"""Posts batches of sales, again and again until they are answered: sending a sale twice is harmless."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import random
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from tidemark.errors import TidemarkError

RETRIED = {429, 500, 502, 503, 504}
GIVE_UP_S = 120.0
LONGEST_WAIT_S = 5.0


class Answered(msgspec.Struct, frozen=True):
    """A batch's results, how long the answer took (seconds), and how often it was sent in vain before."""

    results: list[dict[str, Any]]
    seconds: float
    retries: int


class Poster:
    """One connection to the API. Not thread-safe."""

    def __init__(self, api: str, token: str) -> None:
        self._url = f"{api.rstrip('/')}/v1/sales"
        self._client = httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=35)
        self._encode = msgspec.json.Encoder().encode

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def is_sold(self, invoice_id: str) -> bool:
        """Whether the API has this sale; needs a token that may read."""
        return self._client.get(f"{self._url}/{quote(invoice_id, safe='')}").status_code == httpx.codes.OK

    def post(self, rows: list[dict[str, Any]]) -> Answered:
        """Post a batch; back off and send again while the API is away or busy.

        Raises TidemarkError where it refuses the batch or stays away for two minutes.
        """
        body = self._encode({"sales": rows})
        began = time.monotonic()
        retries = 0
        while True:
            sent = time.monotonic()
            wait: float | None = None
            try:
                response = self._client.post(self._url, content=body, headers={"Content-Type": "application/json"})
            except httpx.TransportError as error:
                problem = f"the API does not answer ({error or type(error).__name__})"
            else:
                if response.status_code == httpx.codes.OK:
                    return Answered(response.json()["results"], time.monotonic() - sent, retries)
                problem = f"the API answered {response.status_code}: {response.text[:300]}"
                if response.status_code not in RETRIED:
                    raise TidemarkError(problem)
                after = response.headers.get("Retry-After", "")
                wait = float(after) if after.isdecimal() else None
            if time.monotonic() - began > GIVE_UP_S:
                raise TidemarkError(f"gave up after {GIVE_UP_S:.0f} s: {problem}")
            time.sleep(wait if wait is not None else min(LONGEST_WAIT_S, 0.05 * 2**retries) * (0.5 + random() / 2))
            retries += 1


def first_unsold(invoice_id: Callable[[int], str], is_sold: Callable[[str], bool]) -> int:
    """The number of the first sale that is not sold yet, of a stream that was posted in order: a few questions."""
    high = 1
    while is_sold(invoice_id(high - 1)):
        high *= 2
    low = high // 2
    while low < high - 1:
        middle = (low + high) // 2
        if is_sold(invoice_id(middle - 1)):
            low = middle
        else:
            high = middle
    return low
