"""What the pages say of people who object, in French and in English; part of `words.WORDS`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

OPPOSITION_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "oppositions": ("Oppositions", "Oppositions"),
        "OppositionsUpdated": (
            "Registre des oppositions : nouvelle liste",
            "Register of oppositions: a new list",
        ),
        "register_version": ("{0} · version {1}", "{0} · version {1}"),
        "drill-opposition": ("Oppositions", "Oppositions"),
        "rehearses-opposition": (
            (
                "Des personnes s'opposent pendant que l'entrepôt travaille, l'une d'elles se ravise : "
                "tout nouvel extrait doit en tenir compte."
            ),
            (
                "People object while the hub works, and one of them takes it back: every new extract "
                "has to follow."
            ),
        ),
        "criterion-lists": ("Listes d'opposants reprises", "Lists of who objects, taken in"),
        "criterion-delay": (
            "Délai entre l'opposition et le premier extrait sans la personne",
            "Time from an opposition to the first extract without the person",
        ),
        "criterion-residual-rows": (
            "Lignes d'opposants dans les nouveaux extraits",
            "Rows of people who object, in new extracts",
        ),
        "criterion-rows-lost": (
            "Lignes d'autres personnes perdues au passage",
            "Rows of others that went missing there",
        ),
        "criterion-in-outputs": (
            "Personnes en trop dans les résultats sortis ensuite",
            "People too many in what came out after",
        ),
        "criterion-overtaken": (
            "Extraits faits d'après une liste dépassée",
            "Extracts made by a list that was no longer the newest",
        ),
        "criterion-early-lists": (
            "Listes reprises avant leur jour",
            "Lists that were taken before their day",
        ),
        "criterion-receipts": (
            "Récépissés reconnus par le vérificateur d'un tiers",
            "Receipts that a stranger's verifier believed",
        ),
        "criterion-false-receipts-believed": (
            "Faux récépissés reconnus",
            "False receipts that it believed",
        ),
        "criterion-not-back": (
            "Personnes revenues sur leur opposition et toujours écartées",
            "People who took it back and were still left out",
        ),
        "unit-lists": ("listes", "lists"),
        "unit-days": ("jours", "days"),
        "unit-rows": ("lignes", "rows"),
        "unit-people": ("personnes", "people"),
        "unit-extracts": ("extraits", "extracts"),
        "unit-receipts": ("récépissés", "receipts"),
    }
)
