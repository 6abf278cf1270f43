"""Short reviews with planted concepts, so that it is known what is to be found in them."""

from __future__ import annotations

import random
from typing import Any

CONCEPTS = {
    "the wait was slow and long": -1.2,
    "the staff was rude and unfriendly": -1.0,
    "dessert was homemade and sweet": +0.9,
    "it is a real bargain and cheap": +0.8,
}
"""What may stand in a review, and what the target gains where it does."""

_WHO = ("we saw", "they have", "next to us sat", "the owner likes", "outside stood")
_WHAT = (
    "a green wall",
    "two old chairs",
    "many plants",
    "a window to the street",
    "some music",
    "a big clock",
    "the fish tank",
    "parked cars",
)
_FILLING = tuple(f"{who} {what}" for who in _WHO for what in _WHAT)


def reviews(n: int = 700, seed: int = 3) -> dict[str, list[Any]]:
    """Columns `text`, `stars` (1 to 5), `mood` (good or bad) and `shop`."""
    rng = random.Random(seed)
    columns: dict[str, list[Any]] = {"text": [], "stars": [], "mood": [], "shop": []}
    for number in range(n):
        there = [concept for concept in CONCEPTS if rng.random() < 0.25]
        sentences = there + rng.sample(_FILLING, 3)
        rng.shuffle(sentences)
        exact = 3.2 + sum(CONCEPTS[concept] for concept in there) + rng.gauss(0, 0.5)
        columns["text"].append(f"Visit {number}: " + ". ".join(sentences) + ".")
        columns["stars"].append(min(5, max(1, round(exact))))
        columns["mood"].append("good" if exact > 3.2 else "bad")
        columns["shop"].append(f"shop {rng.randrange(60)}")
    return columns
