"""What the pages say of terms, in French and in English; part of `words.WORDS`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CLOCK_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "NoticeGiven": ("Rappel d'une échéance", "Notice of a term"),
        "ProjectDeleted": (
            "Projet supprimé, suppression certifiée",
            "Project deleted, and its deletion certified",
        ),
        "notice-ahead": ("échéance le {0}", "due on {0}"),
        "notice-overdue": ("échéance dépassée, le {0}", "overdue since {0}"),
        "notice-to": ("pour {0}", "for {0}"),
        "deleted-by": ("clés détruites, entrée {0}", "keys erased in entry {0}"),
        "told-authority": ("les autorités", "the authorities"),
        "told-controller": ("le responsable du traitement", "the controller"),
        "told-custodian": ("les dépositaires", "the custodians"),
        "told-holder": ("les détenteurs des données", "the data holders"),
        "told-researcher": ("le demandeur", "the applicant"),
        "term-application-decided": ("décision sur une demande", "decision on an application"),
        "term-decision-published": ("publication d'une décision", "publication of a decision"),
        "term-data-provided": ("mise à disposition des données", "provision of the data"),
        "term-permit-renewed": ("renouvellement d'un permis", "renewal of a permit"),
        "term-suspension-settled": (
            "suite à donner à une suspension",
            "what follows from a suspension",
        ),
        "term-permit-ended": ("fin d'un permis", "end of a permit"),
        "term-project-deleted": ("suppression d'un projet", "deletion of a project"),
        "term-results-published": ("publication des résultats", "publication of results"),
        "term-register-version": (
            "nouvelle liste d'un registre des oppositions",
            "next list of a register of oppositions",
        ),
        "term-opposition-answered": (
            "prise en compte des oppositions",
            "oppositions taken into account",
        ),
        "term-delivery-erased": ("effacement d'une livraison", "erasure of a delivery"),
        "term-set-aside-erased": (
            "effacement de lignes écartées",
            "erasure of rows that were set aside",
        ),
        "term-order-carried-out": (
            "exécution d'un ordre de destruction de clés",
            "carrying out of an order to erase keys",
        ),
        "term-description-verified": (
            "vérification de la description des bases",
            "verification of the description of the datasets",
        ),
    }
)
