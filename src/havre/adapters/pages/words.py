"""What the pages say, in French and in English: one row for each sentence."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

LANGUAGES = ("fr", "en")

WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "site": ("Registre public de l'entrepôt", "Public register of the hub"),
        "motto": (
            (
                "Qui utilise quelles données de santé, pourquoi, et ce qui en est sorti. "
                "Tout ce qui est écrit ici se vérifie sans nous croire."
            ),
            (
                "Who uses which health data, why, and what came of it. "
                "Everything written here can be verified without believing us."
            ),
        ),
        "overview": ("Vue d'ensemble", "Overview"),
        "permits": ("Permis", "Permits"),
        "permit": ("Permis", "Permit"),
        "releases": ("Résultats sortis", "Released results"),
        "log": ("Journal", "Log"),
        "verify": ("Vérifier", "Verify"),
        "entries": ("entrées au journal", "entries on the log"),
        "datasets": ("Bases de données", "Datasets"),
        "dataset": ("Base", "Dataset"),
        "rows": ("Lignes (arrondies à 100)", "Rows (rounded to 100)"),
        "versions": ("Versions", "Versions"),
        "newest": ("Dernière version", "Newest version"),
        "state": ("État", "State"),
        "since": ("Depuis", "Since"),
        "purpose": ("Finalité", "Purpose"),
        "openings": ("Ouvertures de clés", "Key openings"),
        "extracts": ("Extraits", "Extracts"),
        "jobs": ("Calculs", "Jobs"),
        "applicant": ("Demandeur", "Applicant"),
        "people": ("Personnes autorisées", "People allowed"),
        "care": ("Soins entre", "Care between"),
        "valid": ("Valable", "Valid"),
        "tables": ("Tables et colonnes", "Tables and columns"),
        "population": ("Population", "Population"),
        "born": ("né(e)s de {0} à {1}", "born from {0} to {1}"),
        "everybody": ("tout le monde", "everybody"),
        "smallest": ("Plus petit effectif montré", "Smallest count shown"),
        "signed": ("texte signé", "signed text"),
        "history": ("Ce qui s'est passé", "What happened"),
        "entry": ("Entrée", "Entry"),
        "when": ("Quand (UTC)", "When (UTC)"),
        "what": ("Quoi", "What"),
        "about": ("À propos de", "About"),
        "witnessed": (
            "La tête du journal est cosignée par {0} témoins sur {1} ; il en faut {2}.",
            "The head of the log is cosigned by {0} of {1} witnesses; {2} are needed.",
        ),
        "drill": ("Exercice", "Drill"),
        "drills": ("Exercices", "Drills"),
        "held": ("la promesse a tenu", "the promise held"),
        "failed": ("la promesse n'a PAS tenu", "the promise did NOT hold"),
        "subpoena": (
            "Réquisition : tout ce que l'hébergeur détient est saisi et fouillé",
            "Subpoena: everything the host holds is taken and searched",
        ),
        "files_seized": ("fichiers saisis", "files seized"),
        "canaries_sought": ("canaris cherchés", "canaries looked for"),
        "things_found": ("trouvailles", "things found"),
        "no_release": ("Rien n'est encore sorti.", "Nothing has been released yet."),
        "no_permit": ("Aucun permis n'a été demandé.", "No permit was asked for."),
        "two_checkers": (
            "{0} vérificateurs ont approuvé, sans voir le vote de l'autre ; {1} passage(s).",
            "{0} checkers approved, blind to each other's vote; {1} turn(s).",
        ),
        "files": ("Fichiers", "Files"),
        "how": ("Comment vérifier", "How to verify"),
        "how_1": (
            (
                "Téléchargez ce site entier (il n'y a que des fichiers), et le vérificateur : un seul "
                "fichier Python, que vous pouvez lire."
            ),
            (
                "Download this whole site (it is nothing but files), and the verifier: a single "
                "Python file that you can read."
            ),
        ),
        "how_2": (
            (
                "Procurez-vous les racines de confiance ailleurs qu'ici : qui vous les donne décide de "
                "ce qui est authentique. Leur empreinte, d'après ce site, est :"
            ),
            (
                "Get the trust roots from elsewhere than here: whoever gives you them decides what is "
                "genuine. Their fingerprint, as this site says it, is:"
            ),
        ),
        "how_3": ("Lancez, hors ligne :", "Run it, offline:"),
        "how_4": (
            (
                "Gardez la tête du journal que vous avez vue : la prochaine fois, --seen montrera que "
                "rien de ce qu'elle couvrait n'a changé."
            ),
            (
                "Keep the head of the log that you saw: next time, --seen shows that nothing of what "
                "it covered has changed."
            ),
        ),
        "how_no": (
            (
                "Ce que cela ne dit pas : si le calcul était bon, si les données étaient justes, ou si "
                "un message se cache dans un fichier approuvé."
            ),
            (
                "What it does not say: whether the analysis was right, the data true, or whether a "
                "message hides inside an approved file."
            ),
        ),
        "head": ("Tête du journal", "Head of the log"),
        "size": ("Taille", "Size"),
        "root": ("Racine", "Root"),
        "language": ("English", "Français"),
        "verifier": ("le vérificateur", "the verifier"),
        "made": (
            "Pages écrites depuis le journal, rien de plus.",
            "Pages written from the log, and nothing else.",
        ),
        "HubOpened": ("L'entrepôt ouvre", "The hub opens"),
        "PartitionsCreated": ("Clés créées et partagées", "Keys made and shared out"),
        "CatalogueImported": ("Catalogue importé", "Catalogue imported"),
        "DeliveryReceived": ("Livraison reçue, scellée", "Delivery received, sealed"),
        "DeliveryChecked": ("Livraison contrôlée", "Delivery checked"),
        "DatasetPseudonymised": ("Base pseudonymisée", "Dataset pseudonymised"),
        "VersionPublished": ("Version publiée", "Version published"),
        "PermitMoved": ("Permis", "Permit"),
        "KeysRequested": ("Clés demandées", "Keys requested"),
        "KeysReleased": ("Clés prêtées", "Keys lent"),
        "KeysAbandoned": ("Demande de clés abandonnée", "Key request abandoned"),
        "ExtractMade": ("Extrait fait", "Extract made"),
        "JobRan": ("Calcul exécuté", "Job ran"),
        "ReleaseMoved": ("Demande de sortie", "Release request"),
        "VoteCast": ("Vote déposé, fermé", "Vote cast, closed"),
        "OutputReviewed": ("Votes ouverts ensemble", "Votes opened together"),
        "OutputReleased": ("Résultat sorti", "Result released"),
        "DrillRan": ("Exercice", "Drill"),
        "Departed": ("Départ emballé", "Departure packed"),
        "Handover": ("Journal remis à un autre hôte", "Log handed over to another host"),
        "Arrived": ("Arrivée chez un autre hôte", "Arrived at another host"),
        "submitted": ("déposé", "submitted"),
        "assessment": ("à l'étude", "under assessment"),
        "granted": ("accordé", "granted"),
        "refused": ("refusé", "refused"),
        "withdrawn": ("retiré", "withdrawn"),
        "suspended": ("suspendu", "suspended"),
        "revoked": ("révoqué", "revoked"),
        "expired": ("échu", "expired"),
        "partially-reviewed": ("un vote déposé", "one vote cast"),
        "reviewed": ("votes déposés", "votes cast"),
        "returned": ("renvoyé à l'auteur", "returned to its author"),
        "approved": ("approuvé", "approved"),
        "released": ("sorti", "released"),
        "rejected": ("rejeté", "rejected"),
        "finished": ("terminé", "finished"),
        "timed-out": ("temps dépassé", "timed out"),
        "out-of-memory": ("mémoire dépassée", "out of memory"),
        "too-much-output": ("trop de sorties", "too much output"),
        "strange-output": ("sorties refusées", "outputs refused"),
        "ingest": ("pour l'ingestion", "for ingestion"),
        "extract": ("pour un extrait", "for an extract"),
        "run": ("pour un calcul ou un contrôle", "for a job or a check"),
    }
)


def word(key: str, language: str, *values: object) -> str:
    """Say something; a word that has no row is shown as it is.

    >>> word("permit", "fr"), word("born", "en", 1930, 2000)
    ('Permis', 'born from 1930 to 2000')
    """
    row = WORDS.get(key)
    if row is None:
        return key
    return row[LANGUAGES.index(language)].format(*values)
