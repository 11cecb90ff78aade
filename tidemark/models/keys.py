"""What the models of the sales and their files are called, for those who only read of them."""

from __future__ import annotations

SALES = "sales"  # what is modelled, as champions and decisions name it
SHADOW = "sales-shadow"  # who scores beside the champion
DEMAND = "demand"
SALES_FILE, DEMAND_FILE = "sales.model", "demand.model"
CARD, RESULT, KERAS = "CARD.md", "result.json", "model.keras"


def folder(model: str, fingerprint: str) -> str:
    """Where what belongs to a model is in the bucket, beside the file that serves."""
    return f"models/{model}/{fingerprint}/"


def card_key(model: str, fingerprint: str) -> str:
    """Where a model's card is in the bucket."""
    return folder(model, fingerprint) + CARD
