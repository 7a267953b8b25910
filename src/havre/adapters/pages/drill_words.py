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
        "drill-seizure": ("Saisie de l'hôte", "Seizure of the host"),
        "rehearses-seizure": (
            (
                "L'hôte de l'entrepôt disparaît en plein travail avec tous ses disques ; un hôte de "
                "secours reprend."
            ),
            "The hub's host vanishes at work with all its disks; a standby host goes on.",
        ),
        "criterion-killed": (
            "Programmes de l'entrepôt tués en plein travail",
            "Programs of the hub killed at work",
        ),
        "unit-processes": ("programmes", "programs"),
        "criterion-storage-sightings": (
            "Constats dans les images du stockage",
            "Sightings in the images of the storage",
        ),
        "criterion-hub-canaries": (
            "Données témoins sur le disque de l'entrepôt",
            "Canaries on the hub's disk",
        ),
        "criterion-left-behind": (
            "Constats dans les fichiers temporaires, de travail et les vidages mémoire",
            "Sightings in temporary, scratch and core files",
        ),
        "criterion-blind-finders": (
            "Images où une donnée témoin posée exprès a échappé",
            "Images in which a planted canary was missed",
        ),
        "criterion-recovered": ("Reprise ailleurs", "Gone on elsewhere"),
        "criterion-rto": ("De la perte à la reprise du travail", "From the loss to working again"),
        "criterion-permits-lost": ("Permis signés perdus", "Signed permits lost"),
        "criterion-audit-lost": ("Temps de journal perdu", "Time of the log that is lost"),
        "criterion-objects-lost": ("Objets perdus", "Objects lost"),
        "criterion-data-lost": (
            "Âge de la plus ancienne livraison à renvoyer",
            "Age of the oldest delivery to be sent again",
        ),
        "criterion-functions-failed": (
            "Fonctions en échec après la reprise",
            "Functions that failed afterwards",
        ),
        "criterion-log-breaks": (
            "Ruptures du journal, vues d'un tiers",
            "Breaks of the log, as a stranger sees them",
        ),
        "criterion-lost-host-believed": (
            "Actes de l'hôte perdu admis ensuite",
            "Acts of the lost host taken afterwards",
        ),
        "unit-acts": ("actes", "acts"),
        "unit-hubs": ("entrepôts", "hubs"),
        "unit-images": ("images", "images"),
        "unit-objects": ("objets", "objects"),
        "unit-permits": ("permis", "permits"),
        "unit-strangers": ("tiers", "strangers"),
        "drill-ownership": ("Rachat d'un opérateur", "Purchase of an operator"),
        "rehearses-ownership": (
            (
                "Chaque opérateur est racheté à son tour par une société d'un autre droit, et l'hôte "
                "d'un stockage est quitté."
            ),
            "Every operator in turn is bought from under another law, and the host of a store is left.",
        ),
        "criterion-takeovers": ("Opérateurs rachetés, sur le papier", "Operators bought, on paper"),
        "criterion-one-takeover": (
            "Bases, clés et secrets qu'un seul rachat expose",
            "Bases, keys and secrets that one takeover exposes",
        ),
        "criterion-working-set-taken": (
            "Extraits et données de travail qu'un seul rachat expose",
            "Working sets that one takeover exposes",
        ),
        "criterion-shock-seen": (
            "Messages nouvellement exposés par le rachat de l'hôte",
            "Messages newly exposed by the host's purchase",
        ),
        "criterion-bought-host-reads": (
            "Constats dans ce que détient l'hôte racheté",
            "Sightings in what the bought host has",
        ),
        "criterion-moved": ("Objets déplacés chez un autre hôte", "Objects moved to another host"),
        "criterion-not-whole": (
            "Copies abîmées ou manquantes chez les hôtes restants",
            "Copies bad or missing at the hosts that are left",
        ),
        "criterion-left-at-bought": (
            "Fichiers restés chez l'hôte racheté",
            "Files left at the bought host",
        ),
        "criterion-still-exposed": (
            "Messages encore exposés une fois l'hôte quitté",
            "Messages still exposed once the host is left",
        ),
        "criterion-kept-exposes": (
            "Bases, secrets et données de travail exposés si l'hôte a tout gardé",
            "Bases, secrets and working sets exposed if the host kept everything",
        ),
        "criterion-exit-time": (
            "Temps pour quitter l'hôte avec tous les octets de l'entrepôt",
            "Time to leave the host with all bytes of the hub",
        ),
        "criterion-classes": (
            "Classes d'actifs où une donnée témoin a été posée ou cherchée",
            "Asset classes in which a canary was planted or looked for",
        ),
        "criterion-missed": (
            "Classes d'actifs où une donnée témoin posée à découvert a échappé",
            "Asset classes in which a canary laid open was missed",
        ),
        "criterion-not-predicted": (
            "Termes obtenus que le modèle d'exposition dit inconnaissables",
            "Terms obtained that the exposure model says cannot be known",
        ),
        "unit-classes": ("classes", "classes"),
        "unit-terms": ("termes", "terms"),
        "unit-copies": ("copies", "copies"),
        "unit-files": ("fichiers", "files"),
        "unit-messages": ("messages", "messages"),
        "unit-operators": ("opérateurs", "operators"),
        "drill-key-loss": ("Perte de clés", "Loss of keys"),
        "rehearses-key-loss": (
            (
                "Des dépositaires sont perdus, d'autres volés ; de nouveaux prennent la relève, et une "
                "génération de clés est détruite."
            ),
            (
                "Custodians are lost, others robbed; new ones take over, and a generation of keys is "
                "destroyed."
            ),
        ),
        "criterion-failed-without-one": (
            "Extractions en échec, un dépositaire perdu",
            "Extracts that failed, one custodian lost",
        ),
        "criterion-not-reshared": (
            "Clés sans nouvelles parts après la cérémonie",
            "Keys without new shares after the ceremony",
        ),
        "criterion-objects-touched": (
            "Objets changés par la cérémonie, tenue sans les stockages",
            "Objects changed by the ceremony, held without the stores",
        ),
        "criterion-failed-with-the-new": (
            "Extractions en échec avec le nouveau dépositaire et un autre",
            "Extracts that failed with the new custodian and one other",
        ),
        "criterion-opened-by-a-thief": (
            "Objets ouverts par le voleur d'un seul dépositaire",
            "Objects opened by a thief of one custodian",
        ),
        "criterion-opened-by-two": (
            "Objets ouverts avec deux dépositaires, comme il se doit",
            "Objects opened with two custodians, as must be",
        ),
        "criterion-seeds-in-room": (
            "Clés entières vues dans la chambre des clés ouverte, comme il se doit",
            "Whole keys seen in the open key room, as must be",
        ),
        "criterion-seeds-in-hub": (
            "Clés entières vues dans la mémoire de l'entrepôt",
            "Whole keys seen in the hub's memory",
        ),
        "criterion-seeds-in-files": (
            "Clés entières vues dans un fichier",
            "Whole keys seen in a file",
        ),
        "criterion-found-on-purpose": (
            "Valeurs posées exprès en mémoire et dans un fichier, et vues",
            "Values put into memory and a file on purpose, and seen",
        ),
        "criterion-rooms-left": (
            "Chambres des clés restées en vie, ou capables de laisser un vidage mémoire",
            "Key rooms that lived on, or might have left a core file",
        ),
        "criterion-opened-when-two-lost": (
            "Extractions passées, deux dépositaires perdus",
            "Extracts that went through, two custodians lost",
        ),
        "criterion-lost-unnamed": (
            "Dépositaires perdus que le refus ne nomme pas",
            "Lost custodians that the refusal does not name",
        ),
        "criterion-recovered-unasked": (
            "Cérémonies tenues sur un demi-ordre, ou sans personne au séquestre",
            "Ceremonies held on half an order, or with nobody at the escrow",
        ),
        "criterion-failed-after-escrow": (
            "Extractions en échec après la cérémonie du séquestre",
            "Extracts that failed after the escrow's ceremony",
        ),
        "criterion-without-record": (
            "Dépositaires sans procès-verbal de la cérémonie",
            "Custodians without a record of the ceremony",
        ),
        "criterion-opened-after-erasure": (
            "Objets d'une génération détruite encore ouverts",
            "Objects of a destroyed generation that still open",
        ),
        "criterion-lost-beside": (
            "Objets d'autres générations qui ne s'ouvrent plus",
            "Objects of other generations that open no more",
        ),
        "unit-ceremonies": ("cérémonies", "ceremonies"),
        "unit-extracts": ("extractions", "extracts"),
        "unit-keys": ("clés", "keys"),
        "unit-plants": ("valeurs posées", "plants"),
        "unit-asks": ("demandes", "asks"),
        "unit-parties": ("parties", "parties"),
        "unit-seconds": ("secondes", "seconds"),
        "unit-sightings": ("constats", "sightings"),
    }
)
