"""What printed pages say, in French and in English: one row for each sentence.

Written with plain signs; `word` puts those of each language's printers.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

LANGUAGES = ("fr", "en")
_SPACE, _THIN_SPACE, _APOSTROPHE = "\u00a0", "\u202f", "\u2019"

_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "title": ("Procès-verbal de cérémonie de clés", "Record of a key ceremony"),
        "copy_of": ("Exemplaire du dépositaire", "The custodian's copy"),
        "act": ("L'acte", "The act"),
        "ceremony": ("Cérémonie", "Ceremony"),
        "origin": ("Journal", "Log"),
        "accepted_at": ("Parts reçues le", "Shares taken in"),
        "by_its_clock": ("à l'horloge du dépositaire", "by the custodian's clock"),
        "custodian": ("Dépositaire", "Custodian"),
        "key_id": ("Clé du dépositaire", "The custodian's key"),
        "partitions": ("Partitions", "Partitions"),
        "digest": ("Empreinte de l'annexe", "Digest of the annex"),
        "threshold": ("Qui ouvre", "Who opens"),
        "of": ("{} parts parmi celles de : {}", "{} shares of those of: {}"),
        "entries": ("Entrées au journal", "Entries of the log"),
        "head": ("Tête du journal", "Head of the log"),
        "head_is": ("{} entrées, racine {}", "{} entries, root {}"),
        "epoch": ("Époque", "Epoch"),
        "number": ("n° {}", "no. {}"),
        "says": (
            (
                "Le dépositaire nommé ci-dessus a reçu une part du secret de chacune des partitions "
                "de l'annexe. Chaque engagement de l'annexe a été calculé sur la part reçue, et "
                "comparé à celui que porte le journal public : ils sont les mêmes. Cette page ne "
                "contient aucun secret ; elle peut être montrée."
            ),
            (
                "The custodian named above has taken in one share of the secret of each partition "
                "of the annex. Each commitment of the annex was computed from the share, and "
                "compared with the one on the public log: they are the same. There is no secret on "
                "this page; it may be shown."
            ),
        ),
        "presence": ("Personnes présentes", "Who was present"),
        "attest": (
            (
                "Qui signe a vu la cérémonie se tenir comme il est dit dans cet acte, dont l'annexe a "
                "l'empreinte :"
            ),
            (
                "Whoever signs has seen the ceremony held as this act says; the digest of its annex is:"
            ),
        ),
        "name": ("Nom", "Name"),
        "capacity": ("Qualité", "Capacity"),
        "signature": ("Signature", "Signature"),
        "place": ("Lieu", "Place"),
        "begun": ("Début", "Begun"),
        "ended": ("Fin", "Ended"),
        "machine": ("Machine employée", "Machine used"),
        "remarks": ("Observations", "Remarks"),
        "epoch_key": ("Où est la clé d'époque", "Where the epoch key is"),
        "in_token": ("dans le jeton matériel n°", "in the hardware token no."),
        "on_paper": (
            "sur une feuille séparée, sous l'enveloppe scellée n°",
            "on a separate sheet, in the sealed envelope no.",
        ),
        "in_file": ("dans un fichier du dépositaire", "in a file of the custodian's"),
        "verify": ("Comment vérifier", "How to verify"),
        "verify_log": (
            (
                "Le journal : prendre le site public et `verify_log.py`, les racines de confiance "
                "auprès d'une partie et non de l'entrepôt, puis lancer :"
            ),
            (
                "The log: take the public site and `verify_log.py`, and the trust roots from a party, "
                "not from the hub; then run:"
            ),
        ),
        "verify_annex": (
            (
                "L'annexe : dans les entrées `PartitionsCreated` nommées ci-dessus, "
                "l'engagement de chaque partition pour ce dépositaire est celui de l'annexe."
            ),
            (
                "The annex: in the entries `PartitionsCreated` named above, each partition's "
                "commitment for this custodian is that of the annex."
            ),
        ),
        "verify_digest": (
            (
                "L'empreinte : SHA-256 des lignes de l'annexe, chacune suivie d'un retour à la "
                "ligne. Sur la version en texte :"
            ),
            (
                "The digest: SHA-256 of the annex's lines, each with its newline. On the text version:"
            ),
        ),
        "verify_key": (
            (
                "La clé du dépositaire : SHA-256 de sa clé publique Ed25519, telle que la donnent "
                "les racines de confiance."
            ),
            ("The custodian's key: SHA-256 of its Ed25519 public key, as the trust roots give it."),
        ),
        "annex": ("Annexe : les engagements", "Annex: the commitments"),
        "partition": ("Partition", "Partition"),
        "commitment": ("Engagement", "Commitment"),
        "page": ("page", "page"),
        "sheet_title": ("Clé d'époque", "Epoch key"),
        "sheet_secret": (
            (
                "Secret. Qui lit ces mots et a une copie du disque du dépositaire lit ses parts. À "
                "garder sous enveloppe scellée, jamais au même endroit que la machine ou ses "
                "sauvegardes ; ne pas photographier, ne pas recopier."
            ),
            (
                "Secret. Whoever reads these words and has a copy of the custodian's disk reads its "
                "shares. Keep it in a sealed envelope, never in one place with the machine or its "
                "backups; take no picture, make no copy."
            ),
        ),
        "sheet_use": (
            (
                "Les 33 mots sont demandés dans cet ordre, au démarrage du dépositaire. Les quatre "
                "premières lettres de chaque mot suffisent."
            ),
            (
                "The 33 words are asked for in this order when the custodian starts. The first four "
                "letters of each are enough."
            ),
        ),
        "sheet_end": (
            (
                "À la fin de l'époque, cette feuille est détruite devant témoin : c'est cela qui efface "
                "les parts qui ne passent pas à l'époque suivante."
            ),
            (
                "At the end of the epoch this sheet is destroyed before a witness: that is what erases "
                "the shares that do not go on to the next."
            ),
        ),
        "sheet_envelope": ("Enveloppe scellée n°", "Sealed envelope no."),
        "sheet_place": ("Gardée à", "Kept at"),
        "sheet_begun": ("Écrite le", "Written on"),
        "sheet_destroyed": ("Détruite le", "Destroyed on"),
    }
)


def word(name: str, language: str) -> str:
    """Say a sentence in a language, with the signs of its printers.

    >>> word("name", "fr")
    'Nom'
    """
    return _typeset(_WORDS[name][LANGUAGES.index(language)], language)


def _typeset(text: str, language: str) -> str:
    # What stands in code keeps its plain signs: it is typed by hand.
    parts = text.split("`")
    parts[::2] = [_printed(part, language) for part in parts[::2]]
    return "`".join(parts)


def _printed(text: str, language: str) -> str:
    text = text.replace("'", _APOSTROPHE)
    if language != "fr":
        return text
    text = text.replace(" :", f"{_SPACE}:").replace("n° ", f"n°{_SPACE}")
    for sign in ";!?":
        text = text.replace(f" {sign}", f"{_THIN_SPACE}{sign}")
    return text
