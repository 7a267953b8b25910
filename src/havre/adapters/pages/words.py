"""What the pages say, in French and in English: one row for each sentence.

Written with plain signs; `typeset` puts those of each language's printers.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from havre.adapters.pages.catalogue_words import CATALOGUE_WORDS
from havre.adapters.pages.clock_words import CLOCK_WORDS
from havre.adapters.pages.drill_words import DRILL_WORDS
from havre.adapters.pages.exposure_words import EXPOSURE_WORDS
from havre.adapters.pages.opposition_words import OPPOSITION_WORDS
from havre.snds.datasets import KNOWN_DATASETS

LANGUAGES = ("fr", "en")
_SPACE, _THIN_SPACE, _APOSTROPHE = "\u00a0", "\u202f", "\u2019"

WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        **CATALOGUE_WORDS,
        **CLOCK_WORDS,
        **OPPOSITION_WORDS,
        "site": ("Registre public de l'entrepôt", "Public register of the hub"),
        "motto": (
            (
                "Qui utilise quelles données de santé, pourquoi, et ce qui en est sorti. "
                "Tout ce qui figure ici peut être vérifié sans avoir à nous croire sur parole."
            ),
            (
                "Who uses which health data, why, and what came of it. "
                "Everything here can be verified without taking our word for it."
            ),
        ),
        "to_content": ("Aller au contenu", "Skip to the content"),
        "made_up": (
            "Démonstration : les données sont fictives.",
            "Demonstration: the data are made up.",
        ),
        "one_machine": (
            (
                "Toutes les parties (témoins, dépositaires, autorités) tournent sur une seule "
                "machine : rien n'est réellement séparé."
            ),
            (
                "All parties (witnesses, custodians, authorities) run on a single machine: "
                "nothing is really separated."
            ),
        ),
        "handed_over": (
            (
                "Cet entrepôt a remis son journal à un autre hôte : la suite est publiée là-bas, "
                "et ces pages ne changeront plus."
            ),
            (
                "This hub has handed its log over to another host: what follows is published "
                "there, and these pages change no more."
            ),
        ),
        "as_of": (
            "État au {0} UTC : {1} entrées au journal.",
            "As of {0} UTC: {1} entries on the log.",
        ),
        "overview": ("Vue d'ensemble", "Overview"),
        "permits": ("Permis", "Permits"),
        "permit": ("Permis", "Permit"),
        "releases": ("Résultats publiés", "Released results"),
        "log": ("Journal", "Log"),
        "verify": ("Vérifier", "Verify"),
        "entries": ("Entrées du journal", "Entries on the log"),
        "datasets": ("Bases de données", "Datasets"),
        "dataset": ("Base", "Dataset"),
        "rows_rounded": ("Lignes (arrondies à 100)", "Rows (rounded to 100)"),
        "rows": ("{0} lignes", "{0} rows"),
        "versions": ("Versions", "Versions"),
        "newest": ("Dernière version", "Newest version"),
        "state": ("État", "State"),
        "since": ("Depuis", "Since"),
        "purpose": ("Finalité", "Purpose"),
        "openings": ("Ouvertures de clés", "Key openings"),
        "jobs": ("Calculs", "Jobs"),
        "applicant": ("Demandeur", "Applicant"),
        "people": ("Personnes autorisées", "People allowed"),
        "granted_by": ("Accordé par", "Granted by"),
        "care": ("Période de soins", "Care between"),
        "valid": ("Validité", "Valid"),
        "table": ("Table", "Table"),
        "columns": ("Colonnes", "Columns"),
        "tables": ("Tables et colonnes", "Tables and columns"),
        "population": ("Population", "Population"),
        "born": ("personnes nées de {0} à {1}", "people born from {0} to {1}"),
        "departments": ("départements {0}", "departments {0}"),
        "everybody": ("tout le monde", "everybody"),
        "smallest": ("Effectif minimal publiable", "Smallest count shown"),
        "kinds": ("Ce qui peut sortir", "What may come out"),
        "kind_table": ("tableaux", "tables"),
        "kind_figure": ("figures", "figures"),
        "kind_text": ("textes", "texts"),
        "environment": ("Environnement de calcul", "Study environment"),
        "upkeep": ("Entretien", "Upkeep"),
        "upkeep_compact": (
            "Regrouper de petits fichiers, une fois. Personne ne reçoit de données.",
            "Put small files together, once. Nobody is given any data.",
        ),
        "upkeep_quarantine": (
            "Reprendre, une fois, des lignes mises de côté. Personne ne reçoit de données.",
            "Look again, once, at rows that were set aside. Nobody is given any data.",
        ),
        "reaches": ("Partitions ouvertes", "Partitions opened"),
        "undated": ("sans année", "without a year"),
        "true_keys": ("numéros d'origine : {0}", "numbers as they are: {0}"),
        "signed": ("texte signé", "signed text"),
        "history": ("Historique", "History"),
        "entry": ("Entrée", "Entry"),
        "when": ("Date (UTC)", "When (UTC)"),
        "what": ("Acte", "What"),
        "about": ("Objet", "About"),
        "result": ("Résultat", "Result"),
        "newest_of": (
            "Les {0} entrées les plus récentes, sur {1}.",
            "The newest {0} of {1} entries.",
        ),
        "first_of": ("Les {0} premières lignes, sur {1}.", "The first {0} of {1} rows."),
        "witnessed": (
            "La tête du journal est cosignée par {0} témoins sur {1} ; il en faut {2}.",
            "The head of the log is cosigned by {0} of {1} witnesses; {2} are needed.",
        ),
        "witness": ("Témoin", "Witness"),
        "cosigned": ("Cosigné le (UTC)", "Cosigned at (UTC)"),
        "parties": ("Qui fait quoi", "Who does what"),
        "role": ("Rôle", "Role"),
        "who": ("Qui", "Who"),
        "this_machine": ("{0} (cette machine)", "{0} (this machine)"),
        "operator": ("{0} ({1})", "{0} ({1})"),
        "authority": ("Autorités", "Authorities"),
        "does_authority": (
            "accordent un permis à deux, le suspendent ou le révoquent",
            "grant a permit by two, suspend or revoke it",
        ),
        "checker": ("Vérificateurs", "Checkers"),
        "does_checker": (
            "approuvent à deux ce qui sort, ou le renvoient",
            "approve by two what leaves, or send it back",
        ),
        "controller": ("Responsable de l'entrepôt", "Controller"),
        "does_controller": (
            "signe le mandat d'ingestion et le départ vers un autre hôte",
            "signs the mandate for ingestion and the departure to another host",
        ),
        "custodian": ("Dépositaires", "Custodians"),
        "does_custodian": (
            "gardent les clés en parts, et n'en donnent que si le journal et le permis le veulent",
            "keep the keys in shares, and give one only as the log and the permit allow",
        ),
        "former-custodian": ("Anciens dépositaires", "Former custodians"),
        "does_former-custodian": (
            "ne gardent plus rien ; ce qu'ils ont signé reste vérifiable",
            "keep nothing any more; what they signed can still be verified",
        ),
        "escrow": ("Séquestre", "Escrow"),
        "does_escrow": (
            "garde des parts de secours, hors du quotidien",
            "keeps spare shares, and has no part in daily work",
        ),
        "holder": ("Détenteurs des données", "Data holders"),
        "does_holder": (
            "livrent les données, pseudonymisées et scellées chez eux",
            "deliver the data, pseudonymised and sealed on their side",
        ),
        "hub": ("Entrepôt", "Hub"),
        "does_hub": (
            "tient le journal, fait les extraits et les calculs",
            "writes the log, makes extracts and runs jobs",
        ),
        "researcher": ("Chercheurs", "Researchers"),
        "does_researcher": (
            "demandent un permis, puis envoient un programme",
            "ask for a permit, then send a program",
        ),
        "does_witness": (
            "cosignent la tête du journal, et rien qui contredise ce qu'ils ont vu",
            "cosign the head of the log, and nothing that contradicts what they saw",
        ),
        "witness_role": ("Témoins", "Witnesses"),
        "drill": ("Exercice", "Drill"),
        "drills": ("Exercices", "Drills"),
        "no_release": (
            "Aucun résultat n'a encore été publié.",
            "Nothing has been released yet.",
        ),
        "no_permit": ("Aucun permis n'a été demandé.", "No permit was asked for."),
        "two_checkers": (
            (
                "{0} vérificateurs ont approuvé, chacun sans connaître le vote de l'autre ; "
                "demande soumise {1} fois."
            ),
            (
                "{0} checkers approved, each without knowing the other's vote; "
                "submitted {1} time(s)."
            ),
        ),
        "approved_by": ("Approuvé par", "Approved by"),
        "by_machine": (
            "renvoyée à l'auteur par le contrôle automatique, avant tout vote",
            "returned to its author by the machine's check, before any vote",
        ),
        "machine_check": ("Contrôle automatique", "Machine's check"),
        "how_decided": ("Étapes de la demande", "Steps of the request"),
        "files": ("Fichiers", "Files"),
        "not_here": (
            "(absent de ce site, ou différent de l'empreinte au journal)",
            "(not on this site, or not the one whose hash is on the log)",
        ),
        "how": ("Comment vérifier", "How to verify"),
        "how_copy": (
            (
                "Téléchargez ce site entier : il n'y a que des fichiers. `URL` est l'adresse de ce "
                "site, `SITE` un dossier à créer. La liste des fichiers :"
            ),
            (
                "Download this whole site: it is nothing but files. `URL` is the address of this "
                "site, `SITE` a folder to be made. The list of files:"
            ),
        ),
        "how_head": (
            (
                "La dernière ligne reprend la tête du journal que ces pages montrent : "
                "le journal a pu croître depuis leur publication."
            ),
            (
                "The last line takes the head of the log that these pages show: "
                "the log may have grown since they were published."
            ),
        ),
        "how_verifier": (
            (
                "Prenez le vérificateur dans les sources du projet (`tools/verify_log.py`), pas "
                "chez l'entrepôt que vous contrôlez : c'est un seul fichier Python, que vous "
                "pouvez lire."
            ),
            (
                "Take the verifier from the project's sources (`tools/verify_log.py`), not from the "
                "hub that you check: it is a single Python file that you can read."
            ),
        ),
        "verifier_copy": ("La copie qui se trouve ici", "The copy here"),
        "how_verifier_copy": (
            "n'est qu'une commodité ; son SHA-256, à comparer :",
            "is a convenience; its SHA-256, to compare:",
        ),
        "how_trust": (
            (
                "Procurez-vous les racines de confiance ailleurs qu'ici, par exemple auprès d'une "
                "autorité ou d'un témoin : qui vous les donne décide de ce qui est authentique. "
                "Leur empreinte, d'après ce site, est :"
            ),
            (
                "Get the trust roots from elsewhere than here, say from an authority or a witness: "
                "whoever gives you them decides what is genuine. "
                "Their fingerprint, as this site says it, is:"
            ),
        ),
        "how_run": ("Lancez, hors ligne :", "Run it, offline:"),
        "how_age": (
            (
                "`--max-age` (en secondes) vaut au moment de la publication : un site de fichiers "
                "vieillit, et le vérificateur répond alors « TOO OLD », avec le code 5. Cela ne "
                "dit pas que quelque chose est faux ; demandez une tête plus récente, ou "
                "vérifiez sans `--max-age`."
            ),
            (
                "`--max-age` (in seconds) applies to the moment of publication: a site of files "
                "ages, and the verifier then answers “TOO OLD”, with exit code 5. That does not "
                "say that something is false; ask for a newer head, or verify without `--max-age`."
            ),
        ),
        "how_seen": (
            (
                "Gardez la tête du journal que vous avez vue : la prochaine fois, `--seen` montrera "
                "que rien de ce qu'elle couvrait n'a changé."
            ),
            (
                "Keep the head of the log that you saw: next time, `--seen` shows that nothing of "
                "what it covered has changed."
            ),
        ),
        "how_not": ("Ce que cela ne dit pas", "What this does not say"),
        "how_no": (
            (
                "Si le calcul était bon, si les données étaient justes, ou si un message se cache "
                "dans un fichier approuvé."
            ),
            (
                "Whether the analysis was right, the data true, or whether a message hides inside "
                "an approved file."
            ),
        ),
        "head": ("Tête du journal", "Head of the log"),
        "size": ("Nombre d'entrées", "Number of entries"),
        "root": ("Racine", "Root"),
        "checkpoint": ("Point de contrôle", "Checkpoint"),
        "language": ("English", "Français"),
        "made": (
            "Pages établies à partir du journal, des permis signés et des fichiers publiés.",
            "Pages made from the log, the signed permits and the released files.",
        ),
        "key_pairs": ("{0} paires de clés", "{0} key pairs"),
        "catalogue_tables": ("{0} tables", "{0} tables"),
        "deliveries": ("{0} livraisons", "{0} deliveries"),
        "asked_at": ("demande de l'entrée {0}", "asked for in entry {0}"),
        "HubOpened": ("L'entrepôt ouvre", "The hub opens"),
        "PartitionsCreated": ("Clés créées et partagées", "Keys made and shared out"),
        "CatalogueImported": ("Catalogue importé", "Catalogue imported"),
        "DeliveryReceived": ("Livraison reçue, scellée", "Delivery received, sealed"),
        "DeliveryChecked": ("Livraison contrôlée", "Delivery checked"),
        "DatasetPseudonymised": ("Base pseudonymisée", "Dataset pseudonymised"),
        "VersionPublished": ("Version publiée", "Version published"),
        "PermitMoved": ("Permis : changement d'état", "Permit: change of state"),
        "KeysRequested": ("Clés demandées", "Keys requested"),
        "KeysReleased": ("Clés ouvertes", "Keys opened"),
        "KeysAbandoned": ("Demande de clés abandonnée", "Key request abandoned"),
        "ResharingOrdered": ("Nouveaux dépositaires ordonnés", "Other custodians ordered"),
        "PartitionsReshared": ("Clés partagées à nouveau", "Keys shared out anew"),
        "OldSharesErased": ("Anciennes parts détruites", "Old shares destroyed"),
        "reshare": ("nouveau partage", "new shares"),
        "holders": ("{0} sur {1} : {2}", "{0} of {1}: {2}"),
        "ErasureOrdered": ("Destruction de clés ordonnée", "Erasure of keys ordered"),
        "KeysErased": ("Clés détruites", "Keys erased"),
        "erasure-permit-over": ("fin du permis {0}", "end of permit {0}"),
        "erasure-taken-in": ("livraisons reprises dans la base", "deliveries that were taken in"),
        "erasure-superseded": (
            "lignes écartées dont le délai est passé",
            "rows set aside whose time is over",
        ),
        "erasure-decided": ("décision signée", "a signed decision"),
        "attested_by": (
            "attesté par {0} ; ordre de l'entrée {1}",
            "attested by {0}; ordered in entry {1}",
        ),
        "ExtractMade": ("Extrait constitué", "Extract made"),
        "JobRan": ("Calcul exécuté", "Job ran"),
        "ReleaseMoved": ("Demande de publication", "Release request"),
        "VoteCast": ("Vote déposé sous scellé", "Sealed vote cast"),
        "OutputReviewed": ("Votes dépouillés ensemble", "Votes opened together"),
        "OutputReleased": ("Résultat publié", "Result released"),
        "DrillRan": ("Exercice", "Drill"),
        "ObjectsListed": ("Objets inscrits à l'inventaire", "Objects added to the inventory"),
        "CopiesCounted": ("Copies vérifiées", "Copies counted"),
        "copies-write": ("à l'écriture", "when written"),
        "copies-scrub": ("relecture complète", "all of them read again"),
        "copies-repair": ("après réparation", "after repair"),
        "copies_lacking": ("{0} : {1} à réparer", "{0}: {1} to repair"),
        "Departed": ("Départ préparé", "Departure packed"),
        "Handover": ("Journal remis à un autre hôte", "Log handed over to another host"),
        "Recovery": (
            "Reprise du journal après la perte de l'hôte",
            "Log taken up again after its host was lost",
        ),
        "Arrived": ("Arrivée chez un autre hôte", "Arrived at another host"),
        "submitted": ("déposé", "submitted"),
        "assessment": ("à l'étude", "under assessment"),
        "granted": ("accordé", "granted"),
        "refused": ("refusé", "refused"),
        "withdrawn": ("retiré", "withdrawn"),
        "suspended": ("suspendu", "suspended"),
        "revoked": ("révoqué", "revoked"),
        "expired": ("expiré", "expired"),
        "accepted": ("acceptée", "accepted"),
        "request-submitted": ("soumise", "submitted"),
        "request-partially-reviewed": ("un vote déposé", "one vote cast"),
        "request-reviewed": ("votes déposés", "votes cast"),
        "request-returned": ("renvoyée à l'auteur", "returned to its author"),
        "request-approved": ("approuvée", "approved"),
        "request-released": ("publiée", "released"),
        "request-rejected": ("rejetée", "rejected"),
        "request-withdrawn": ("retirée", "withdrawn"),
        "job-finished": ("terminé", "finished"),
        "job-failed": ("échoué", "failed"),
        "job-timed-out": ("temps dépassé", "timed out"),
        "job-out-of-memory": ("mémoire dépassée", "out of memory"),
        "job-too-much-output": ("trop de fichiers produits", "too much output"),
        "job-strange-output": ("fichiers produits refusés", "outputs refused"),
        "ingest": ("pour l'ingestion", "for ingestion"),
        "extract": ("pour un extrait", "for an extract"),
        "run": ("pour un calcul ou un contrôle", "for a job or a check"),
        "compact": ("pour regrouper des fichiers", "to put files together"),
        "quarantine": (
            "pour reprendre des lignes mises de côté",
            "to look at rows set aside again",
        ),
        **DRILL_WORDS,
        **EXPOSURE_WORDS,
    }
)

# What the datasets of the SNDS are; a hub's own datasets are shown by their name alone.
DATASETS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        name: (facts["description"]["fr"], facts["description"]["en"])
        for name, facts in KNOWN_DATASETS.items()
    }
)


def word(key: str, language: str, *values: object) -> str:
    """Say something; a word that has no row is shown as it is.

    >>> word("permit", "fr"), word("born", "en", 1930, 2000)
    ('Permis', 'people born from 1930 to 2000')
    """
    row = WORDS.get(key)
    if row is None:
        return key
    place = LANGUAGES.index(language)
    return typeset(row[place], language).format(*values)


def describe_dataset(name: str, language: str) -> str:
    """Say in one sentence what a dataset is; nothing of one that nobody described here.

    >>> describe_dataset("cohort-7", "fr")
    ''
    """
    row = DATASETS.get(name)
    return typeset(row[LANGUAGES.index(language)], language) if row else ""


def typeset(text: str, language: str) -> str:
    """Put the apostrophe of print, and in French the spaces at which no line may break.

    >>> ascii(typeset("l'essai : « tenu » ; vrai !", "fr"))
    "'l\\\\u2019essai\\\\xa0: \\\\xab\\\\u202ftenu\\\\u202f\\\\xbb\\\\u202f; vrai\\\\u202f!'"
    >>> ascii(typeset("it's so: yes", "en"))
    "'it\\\\u2019s so: yes'"

    Source: Lexique des règles typographiques en usage à l'Imprimerie nationale.
    """
    text = text.replace("'", _APOSTROPHE)
    if language != "fr":
        return text
    text = text.replace(" :", f"{_SPACE}:").replace("« ", f"«{_THIN_SPACE}")
    for sign in ";!?»":
        text = text.replace(f" {sign}", f"{_THIN_SPACE}{sign}")
    return text
