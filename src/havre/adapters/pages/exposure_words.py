"""What the page on exposure says, in French and in English; a part of `words`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

EXPOSURE_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "exposure": ("Qui peut lire", "Who can read"),
        "exposure_title": (
            "Qui peut lire quoi, et sous quelle loi",
            "Who can read what, and under which law",
        ),
        "exposure_intro": (
            (
                "Cette page est calculée, non rédigée : à partir de la configuration de l'entrepôt, de "
                "son journal et des fiches de ses hôtes, un programme déduit qui peut obtenir quoi, seul ou "
                "à plusieurs, et ce qu'une loi étrangère peut contraindre à livrer."
            ),
            (
                "This page is computed, not written: from the hub's configuration, its log and its hosts' "
                "fact sheets, a program derives who can obtain what, alone or together, and what a "
                "foreign law can compel."
            ),
        ),
        "exposure_words": (
            (
                "« Déductible » et « non déductible » s'entendent sous les faits déclarés. Rien n'est dit "
                "ici de ce qui est licite, ni de copies qu'aucun fait ne mentionne."
            ),
            (
                "“Derivable” and “not derivable” mean: under the stated facts. Nothing is said here of what "
                "is lawful, nor of copies that no fact names."
            ),
        ),
        "in_short": ("En bref", "In short"),
        "law_alone": ("La loi {0} seule", "{0} law alone"),
        "by_passive": ("sur réquisition", "by a warrant"),
        "by_active": ("avec un concours actif", "with active help"),
        "by_broken-hardware": ("en forçant le matériel", "with broken hardware"),
        "obtains": ("obtient {0}", "obtains {0}"),
        "may_obtain": (
            "n'est pas exclue pour {0} : un fait manque, ou est discuté",
            "is not excluded for {0}: a fact is missing, or argued",
        ),
        "obtains_not": ("n'obtient pas {0}", "does not obtain {0}"),
        "one_takeover": ("à 1 prise de contrôle près", "1 takeover away"),
        "takeovers": ("à {0} prises de contrôle près", "{0} takeovers away"),
        "never_obtained": (
            "même tous ensemble ne l'obtiennent pas",
            "not even all together obtain it",
        ),
        "quoted": ("« {0} »", "“{0}”"),
        "reads": ("{0} : {1}", "{0}: {1}"),
        "one_alone": ("Un opérateur seul, ou piraté", "One operator alone, or broken into"),
        "nobody_alone": ("n'obtient rien", "obtains nothing"),
        "one_less": ("Si un opérateur se retire", "If one operator withdraws"),
        "goes_on": ("le service continue", "the service goes on"),
        "stops_with": (
            "le service s'arrête s'il s'agit de : {0}",
            "the service stops if it is: {0}",
        ),
        "nothing_needed": ("rien n'est déclaré", "nothing is stated"),
        "picture": ("Qui détient quoi, qui peut lire quoi", "Who holds what, who can read what"),
        "picture_says": (
            (
                "Une ligne par opérateur : son nom, la loi sous laquelle il est, ce qu'il détient. Une colonne par "
                "message. Les points pleins forment une plus petite coalition : un point seul suffit, des "
                "points reliés doivent agir ensemble. Un anneau peut remplacer un point. Le nombre en "
                "bas dit combien doivent s'entendre."
            ),
            (
                "One row for each operator: its name, the law it is under, what it holds. One column for each "
                "message. Full dots are a smallest coalition: a single dot is enough, joined "
                "dots must act together. A ring can stand in for a dot. The number below says how many "
                "must conspire."
            ),
        ),
        "matrix": ("Chaque question, et sa réponse", "Each question, and its answer"),
        "matrix_key": (
            (
                "Pour chaque loi, trois réponses : sur réquisition, avec un concours actif, en forçant le matériel. "
                "●\u00a0déductible ; ◐\u00a0non exclu, faute d'un fait ; ○\u00a0non déductible, avec le nombre "
                "d'opérateurs dont il faudrait encore prendre le contrôle. Qu'un tribunal de l'Union atteigne "
                "des dépositaires de l'Union est voulu : chaque ouverture est au journal."
            ),
            (
                "For each law, three answers: by a warrant, with active help, with broken hardware. "
                "●\u00a0derivable; ◐\u00a0not excluded, for want of a fact; ○\u00a0not derivable, with the number of "
                "operators who would have to be taken over as well. That a court of the Union reaches "
                "custodians of the Union is meant: each opening is on the log."
            ),
        ),
        "message": ("Message", "Message"),
        "law_of": ("Loi {0}", "{0} law"),
        "alone": ("Seul", "Alone"),
        "fewest": ("À combien, au moins", "How many, at least"),
        "nobody": ("personne", "nobody"),
        "everybody_has": ("tout le monde", "everybody"),
        "verdict-derivable": ("déductible", "derivable"),
        "verdict-not excluded": ("non exclu", "not excluded"),
        "verdict-not derivable": ("non déductible", "not derivable"),
        "operators": ("Opérateurs, et ce qui en est attesté", "Operators, and what attests them"),
        "operator_name": ("Opérateur", "Operator"),
        "laws_over": ("Lois", "Laws"),
        "holds_here": ("Détient", "Holds"),
        "attested": ("Qualifications", "Qualifications"),
        "known_how": ("Preuve", "Evidence"),
        "unstated": ("non déclarée", "unstated"),
        "until": ("{0} ({1}), jusqu'au {2} : {3}", "{0} ({1}), until {2}: {3}"),
        "standing-not yet": ("pas encore en vigueur", "not yet in force"),
        "standing-in force": ("en vigueur", "in force"),
        "standing-ends soon": ("expire bientôt", "ends soon"),
        "standing-ended": ("expirée", "ended"),
        "no_sheet": (
            "Aucune fiche ne dit où se trouvent : {0}. Ce qui en dépend n'est pas exclu.",
            "No fact sheet says where these stand: {0}. What depends on them is not excluded.",
        ),
        "grades": (
            (
                "Degrés de preuve : E0 supposé, E1 déclaré, E2 attesté par un tiers, E3 observé, E4 "
                "inscrit au journal public."
            ),
            (
                "Grades of evidence: E0 assumed, E1 declared, E2 attested by a third party, E3 observed, "
                "E4 on the public log."
            ),
        ),
        "check_it": ("Vérifier ce calcul", "Check this computation"),
        "check_how": (
            (
                "Le certificat contient les faits, chaque étape de chaque déduction, et ce qui n'en suit "
                "pas. Prenez `tools/check_exposure.py` dans les sources du projet : un seul fichier, sans rien "
                "d'autre que Python."
            ),
            (
                "The certificate holds the facts, each step of each derivation, and what does not follow. "
                "Take `tools/check_exposure.py` from the project's sources: a single file that needs "
                "nothing but Python."
            ),
        ),
        "certificate": ("certificat", "certificate"),
        "facts_file": ("faits", "facts"),
        "checker_copy": ("vérificateur", "checker"),
        "limits": ("Ce que cela ne prouve pas", "What this does not prove"),
        "limit_copies": (
            "Que nulle copie n'existe qu'aucun fait ne mentionne : les exercices la cherchent, sans certitude.",
            "That there is no copy which no fact names: drills look for one, and give no certainty.",
        ),
        "limit_facts": (
            "Que les faits sont vrais : leur degré dit seulement comment on les connaît.",
            "That the facts are true: their grade only says how they are known.",
        ),
        "limit_memory": (
            (
                "Que personne n'a gardé ce qui est passé en mémoire : chaque ligne y passe à l'ingestion. "
                "Toute clé un jour ouverte est tenue pour connue de qui exploite la machine."
            ),
            (
                "That nobody kept what passed through memory: each row does at ingestion. Every key that "
                "was ever opened counts as known to whoever runs the machine."
            ),
        ),
        "limit_holder": (
            "Ce que le détenteur des données en a déjà : il les a en clair. On mesure ce que l'entrepôt ajoute.",
            "What the data holder has already: it has them in clear. What is measured is what the hub adds.",
        ),
        "limit_persons": (
            "Que des lignes sans nom sont anonymes : on peut reconnaître quelqu'un par ce que l'on sait d'ailleurs.",
            "That rows without names are anonymous: somebody can be recognised by what is known from elsewhere.",
        ),
        "this_house": (
            "Cette machine, et toutes les parties qui s'y trouvent",
            "This machine, and all parties on it",
        ),
        "unstated_makers": (
            "Fabricants du matériel et du logiciel de la machine (non déclarés)",
            "Makers of the machine's hardware and software (unstated)",
        ),
        "had-clear": ("données en clair, pendant le travail", "data in clear, while at work"),
        "had-sealed": ("données chiffrées", "encrypted data"),
        "had-shares": ("parts de clés", "shares of keys"),
        "had-keys": ("clés déjà ouvertes", "keys opened before"),
        "had-secret": ("un secret des pseudonymes", "a secret of pseudonyms"),
        "had-traces": ("traces d'accès, registres", "traces of access, records"),
        "had-push": ("peut changer ce qui tourne", "can change what runs"),
        "short-everybody": ("tous", "all"),
        "short-base": ("base", "base"),
        "short-opened": ("déjà ouvert", "opened"),
        "short-working-set": ("en cours", "in work"),
        "short-deliveries": ("livraisons", "deliveries"),
        "short-second-secret": ("secret", "secret"),
        "short-identities": ("identités", "identities"),
        "short-metadata": ("traces", "traces"),
        "short-records": ("registres", "records"),
        "short-logins": ("connexions", "logins"),
        "short-log": ("journal", "log"),
        "msg-base": ("La base : ce qui n'a jamais été ouvert", "The base: what was never opened"),
        "msg-opened": ("Ce qui a été ouvert au moins une fois", "What was opened at least once"),
        "msg-working-set": (
            "Extraits, et lignes en cours de traitement",
            "Extracts, and rows while they are worked on",
        ),
        "msg-deliveries": (
            "Livraisons telles que reçues, sous premiers pseudonymes",
            "Deliveries as they came, under first pseudonyms",
        ),
        "msg-second-secret": (
            "Secret des pseudonymes de l'entrepôt",
            "The hub's secret of pseudonyms",
        ),
        "msg-identities": ("Qui se cache derrière un pseudonyme", "Who stands behind a pseudonym"),
        "msg-metadata": (
            "Ce que voit un stockage : tailles, heures, accès",
            "What a store sees: sizes, times, accesses",
        ),
        "msg-records": ("Registres privés de l'entrepôt", "The hub's private records"),
        "msg-logins": ("Qui se connecte", "Who logs in"),
        "msg-log": ("Le journal public", "The public log"),
    }
)
