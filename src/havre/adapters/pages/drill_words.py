"""What the pages say of drills, in French and in English; spelled like `words`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

DRILL_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "drills_intro": (
            (
                "Un exercice met une promesse à l'épreuve, sur de vrais fichiers et de vrais "
                "programmes. Chaque critère porte sa limite et ce qui a été observé ; le reçu signé "
                "permet de rejuger. Un critère non essayé n'est pas un critère tenu."
            ),
            (
                "A drill puts a promise to the test, on real files and real programs. Each criterion "
                "has its limit and what was observed; with the signed receipt you can judge again. A "
                "criterion that was not tried is not one that held."
            ),
        ),
        "drill_age": (
            "Un exercice plus vieux que sa période compte comme échoué.",
            "A drill that is older than its period counts as failed.",
        ),
        "rehearsed": ("Ce qui est joué", "What is rehearsed"),
        "last_run": ("Dernière fois (UTC)", "Last run (UTC)"),
        "too_old_at": ("Compte comme échoué après (UTC)", "Counts as failed after (UTC)"),
        "age_days": ("Âge (jours)", "Age (days)"),
        "period_days": ("Période (jours)", "Period (days)"),
        "receipt": ("Reçu signé", "Signed receipt"),
        "criterion": ("Critère", "Criterion"),
        "limit": ("Limite", "Limit"),
        "observed": ("Observé", "Observed"),
        "unit": ("Unité", "Unit"),
        "simulated": ("sur une horloge simulée", "on a simulated clock"),
        "not_separated": ("Non séparé sur cette machine :", "Not separated on this machine:"),
        "drill-held": ("promesse tenue", "promise held"),
        "drill-incomplete": ("non entièrement essayé", "not wholly tried"),
        "drill-failed": ("promesse NON tenue", "promise NOT held"),
        "drill-overdue": ("trop ancien : compte comme échoué", "too old: counts as failed"),
        "drill-never": ("jamais joué : compte comme échoué", "never run: counts as failed"),
        "criterion_held": ("tenu", "held"),
        "criterion_failed": ("NON tenu", "NOT held"),
        "criterion_not-run": ("non essayé", "not tried"),
        "drill-subpoena": ("Réquisition", "Subpoena"),
        "rehearses-subpoena": (
            (
                "Un tribunal ordonne à l'hébergeur de remettre tout ce qu'il détient : tout est "
                "saisi et fouillé."
            ),
            "A court orders the host to hand over everything it holds: all of it is taken and searched.",
        ),
        "criterion-canaries": (
            "Données témoins lues dans la saisie",
            "Canaries read in what was seized",
        ),
        "criterion-keys": (
            "Clés de l'entrepôt lues dans la saisie",
            "Keys of the hub read in what was seized",
        ),
        "criterion-clear-bytes": (
            "Octets en clair là où tout devrait être scellé",
            "Clear bytes where all should be sealed",
        ),
        "drill-fork": ("Bifurcation du journal", "Fork of the log"),
        "rehearses-fork": (
            (
                "Un opérateur de mauvaise foi montre aux uns un ancien journal, aux autres un journal "
                "bifurqué, signés de la vraie clé."
            ),
            (
                "An operator of bad faith shows an old log to some and a forked one to others, signed "
                "with the true key."
            ),
        ),
        "criterion-asks": ("Faux journaux montrés", "False logs shown"),
        "criterion-asks-believed": ("Faux journaux crus", "False logs believed"),
        "criterion-honest-refused": ("Refus du vrai journal", "Refusals of the true log"),
        "criterion-detection": (
            "Délai de la détection la plus lente",
            "Time of the slowest detection",
        ),
        "criterion-without-evidence": (
            "Parties sans preuve conservée",
            "Parties that kept no evidence",
        ),
        "drill-disconnect": ("Coupure du réseau", "Disconnection"),
        "rehearses-disconnect": (
            (
                "Tout lien avec l'extérieur est coupé pendant 7 jours et ne revient qu'au bout de 90 : "
                "l'entrepôt doit continuer seul."
            ),
            (
                "Every link to the outside is cut for 7 days and comes back only after 90: the hub has "
                "to go on alone."
            ),
        ),
        "criterion-functions": ("Fonctions essayées", "Functions tried"),
        "criterion-failed-cut-off": ("Fonctions en échec, réseau coupé", "Functions that failed"),
        "criterion-failed-7-days": (
            "Fonctions en échec après 7 jours",
            "Functions that failed after 7 days",
        ),
        "criterion-failed-90-days": (
            "Fonctions en échec après 90 jours",
            "Functions that failed after 90 days",
        ),
        "criterion-calls": (
            "Tentatives de joindre l'extérieur",
            "Attempts to reach anything outside",
        ),
        "criterion-calls-noticed": (
            "Tentatives faites exprès, et comptées",
            "Attempts made on purpose, and counted",
        ),
        "criterion-behind": (
            "Parties encore en retard après leur retour",
            "Parties still behind after their return",
        ),
        "criterion-install-failed": (
            "Installations hors ligne en échec",
            "Offline installs that failed",
        ),
        "unit-calls": ("tentatives", "calls"),
        "unit-functions": ("fonctions", "functions"),
        "unit-installs": ("installations", "installs"),
        "unit-asks": ("demandes", "asks"),
        "unit-parties": ("parties", "parties"),
        "unit-seconds": ("secondes", "seconds"),
        "unit-sightings": ("constats", "sightings"),
    }
)
