"""What is known of the SNDS's own datasets, for a catalogue: titles, law, categories, as data.

The words are those of `catalogue.toml` (`domain.dataset_card`). Categories are the letters of
article 51(1) of the EHDS Regulation, under the names that the European health data portal
uses; that vocabulary is not final.

Source: arrêté of 6 May 2024 and article L. 1461-1 of the Code de la santé publique for the
law and the producers; SNDS documentation for what each dataset holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_EHDS = "http://data.europa.eu/eli/reg/2025/327/oj"
_GDPR = "http://data.europa.eu/eli/reg/2016/679/oj"
_SNDS = "https://www.legifrance.gouv.fr/codes/texte_lc/LEGITEXT000006072665/"
_CATEGORY = "http://healthdataportal.eu/resource/authority/healthcategories/"

# What all of them share.
_EVERY: Mapping[str, Any] = MappingProxyType(
    {
        "legislation": (_EHDS, _GDPR, _SNDS),
        "legal_bases": (
            "https://w3id.org/dpv/legal/eu/gdpr#A6-1-e",
            "https://w3id.org/dpv/legal/eu/gdpr#A9-2-i",
        ),
        "personal_data": (
            "https://w3id.org/dpv/dpv-pd#MedicalHealth",
            "https://w3id.org/dpv/dpv-pd#Age",
            "https://w3id.org/dpv/dpv-pd#Gender",
        ),
        "spatial": "http://publications.europa.eu/resource/authority/country/FRA",
        "ages": (0, 110),
        "coverage": {
            "fr": "Les personnes rattachées à l'assurance maladie française.",
            "en": "People covered by the French national health insurance.",
        },
    }
)
_HEALTH_SYSTEM = "http://www.wikidata.org/entity/Q31207"
_MORTALITY = "http://www.wikidata.org/entity/Q4"


def _hospital(field_fr: str, field_en: str, short: str) -> Mapping[str, Any]:
    """One field of the PMSI: what they all share, and the field's own words."""
    return {
        **_EVERY,
        "title": {"fr": f"Séjours hospitaliers ({short})", "en": f"Hospital stays ({short})"},
        "description": {
            "fr": f"Les séjours à l'hôpital {field_fr}.",
            "en": f"Hospital stays {field_en}.",
        },
        "keywords": {
            "fr": ["hôpital", "séjours", "diagnostics", "actes", "PMSI", "SNDS"],
            "en": ["hospital", "stays", "diagnoses", "procedures", "PMSI", "SNDS"],
        },
        "provenance": {
            "fr": "Résumés des établissements de santé, recueillis par l'ATIH.",
            "en": "Abstracts of hospitals, collected by ATIH.",
        },
        "holder": "ATIH",
        "purposes": ("https://w3id.org/dpv#ServiceProvision",),
        "categories": (f"{_CATEGORY}HRAD",),
        "themes": (_HEALTH_SYSTEM,),
        "frequency": "ANNUAL",
    }


_OWN: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "beneficiaires": {
            **_EVERY,
            "title": {"fr": "Bénéficiaires", "en": "Beneficiaries"},
            "description": {
                "fr": (
                    "Les personnes couvertes par l'Assurance maladie : année de naissance, sexe, "
                    "département, affections de longue durée."
                ),
                "en": (
                    "People covered by the national health insurance: year of birth, sex, "
                    "department, long-term conditions."
                ),
            },
            "keywords": {
                "fr": ["bénéficiaires", "affection de longue durée", "SNDS"],
                "en": ["beneficiaries", "long-term illness", "SNDS"],
            },
            "provenance": {
                "fr": "Référentiels des régimes d'assurance maladie.",
                "en": "Registers of the health insurance schemes.",
            },
            "holder": "Cnam",
            "purposes": ("https://w3id.org/dpv#ServiceProvision",),
            "categories": (f"{_CATEGORY}HRAD",),
            "themes": (_HEALTH_SYSTEM,),
            "frequency": "MONTHLY",
        },
        "cepidc": {
            **_EVERY,
            "title": {"fr": "Causes de décès (CépiDc)", "en": "Causes of death (CépiDc)"},
            "description": {
                "fr": "Les causes médicales de décès, codées par le CépiDc de l'Inserm.",
                "en": "Medical causes of death, coded by the CépiDc of Inserm.",
            },
            "keywords": {
                "fr": ["décès", "causes de décès", "CIM-10", "SNDS"],
                "en": ["deaths", "causes of death", "ICD-10", "SNDS"],
            },
            "provenance": {
                "fr": "Certificats de décès, codés par le CépiDc de l'Inserm.",
                "en": "Death certificates, coded by Inserm's CépiDc.",
            },
            "holder": "Inserm-CépiDc",
            "purposes": ("https://w3id.org/dpv#PublicBenefit",),
            "categories": (f"{_CATEGORY}MRMR",),
            "themes": (_MORTALITY,),
            "frequency": "ANNUAL",
        },
        "dcir": {
            **_EVERY,
            "title": {"fr": "Remboursements de soins (DCIR)", "en": "Reimbursed care (DCIR)"},
            "description": {
                "fr": (
                    "Les remboursements de l'Assurance maladie : consultations, actes et "
                    "médicaments délivrés en ville."
                ),
                "en": (
                    "Reimbursements by the national health insurance: visits, procedures and "
                    "drugs dispensed outside hospital."
                ),
            },
            "keywords": {
                "fr": ["remboursements", "médicaments", "actes", "SNDS", "DCIR"],
                "en": ["claims", "drugs", "procedures", "SNDS", "DCIR"],
            },
            "provenance": {
                "fr": "Flux de liquidation de tous les régimes d'assurance maladie.",
                "en": "Claims settled by every health insurance scheme.",
            },
            "holder": "Cnam",
            "purposes": ("https://w3id.org/dpv#ServiceProvision",),
            "categories": (f"{_CATEGORY}HRAD",),
            "themes": (_HEALTH_SYSTEM,),
            "frequency": "MONTHLY",
        },
        "pmsi-had": _hospital("à domicile", "at home", "PMSI-HAD"),
        "pmsi-mco": _hospital(
            "en médecine, chirurgie et obstétrique",
            "in medicine, surgery and obstetrics",
            "PMSI-MCO",
        ),
        "pmsi-rim-p": _hospital("en psychiatrie", "in psychiatry", "PMSI RIM-P"),
        "pmsi-ssr": _hospital("en soins de réadaptation", "in rehabilitation", "PMSI-SSR"),
    }
)

# The published schema calls two of them otherwise.
KNOWN_DATASETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {**_OWN, "beneficiaire": _OWN["beneficiaires"], "causes-de-deces": _OWN["cepidc"]}
)
