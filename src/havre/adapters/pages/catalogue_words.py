"""What the catalogue's pages say, in French and in English: more rows of `words`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CATALOGUE_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "catalogue": ("Catalogue", "Catalogue"),
        "catalogue_says": (
            (
                "Ce que l'entrepôt contient, décrit sans rien révéler de personne. "
                "Les lignes elles-mêmes ne s'ouvrent que sous un permis."
            ),
            (
                "What the hub holds, described without telling anything of anybody. "
                "The rows themselves open under a permit only."
            ),
        ),
        "no_dataset": ("Aucune base n'est connue.", "No dataset is known."),
        "search": ("Chercher une table ou une variable", "Search for a table or a variable"),
        "search_found": ("{0} résultats", "{0} results"),
        "search_none": ("Aucun résultat", "No result"),
        "search_more": ("et {0} autres : précisez la recherche", "and {0} more: narrow the search"),
        "machine_readable": ("Pour les machines", "For machines"),
        "machine_says": (
            "Le même catalogue en HealthDCAT-AP :",
            "The same catalogue as HealthDCAT-AP:",
        ),
        "people_counted": ("Personnes", "People"),
        "at_least": ("au moins {0}", "at least {0}"),
        "fewer_than_fifty": ("moins de 50", "fewer than 50"),
        "not_told": ("non communiqué", "not told"),
        "period_covered": ("Période couverte", "Period covered"),
        "from_to": ("de {0} à {1}", "{0} to {1}"),
        "quality": ("Qualité", "Quality"),
        "quality_label": ("Label de qualité", "Quality label"),
        "quality_says": (
            (
                "Les six éléments de l'article 78 du règlement sur l'espace européen des données "
                "de santé, mesurés sur ce que la dernière version a apporté. Le niveau 4 est le "
                "meilleur. L'échelle est la nôtre, en attendant celle de la Commission."
            ),
            (
                "The six elements of article 78 of the European Health Data Space Regulation, "
                "measured on what the newest version brought. Level 4 is the best. The scale is "
                "ours until the Commission's is out."
            ),
        ),
        "element": ("Élément", "Element"),
        "level": ("Niveau", "Level"),
        "level_of": ("{0} sur 4", "{0} of 4"),
        "not_measured": ("non mesuré", "not measured"),
        "measured": ("Mesure", "Measured"),
        "quality-completeness": ("Complétude", "Completeness"),
        "why-completeness": (
            "cellules remplies là où chaque ligne doit en avoir une",
            "cells that are filled, where every row should have one",
        ),
        "quality-uniqueness": ("Unicité", "Uniqueness"),
        "why-uniqueness": (
            "lignes dont la clé n'est pas double",
            "lines whose key is no duplicate",
        ),
        "quality-accuracy": ("Exactitude", "Accuracy"),
        "why-accuracy": ("lignes lisibles telles qu'envoyées", "lines that can be read as sent"),
        "quality-validity": ("Validité", "Validity"),
        "why-validity": (
            "lignes dont chaque cellule est comme déclaré, ou codes de leur nomenclature : le moindre",
            "lines whose every cell is as declared, or codes that their list has: the lower one",
        ),
        "quality-timeliness": ("Actualité", "Timeliness"),
        "why-timeliness": (
            "jours entre la fin de la période couverte et la version",
            "days from the end of the period covered to the version",
        ),
        "quality-consistency": ("Cohérence", "Consistency"),
        "why-consistency": (
            "lignes qui retrouvent la ligne dont elles dépendent",
            "rows that find the row which they follow",
        ),
        "measured_share": ("{0} % d'environ {1}", "{0} % of about {1}"),
        "measured_days": ("{0} jours", "{0} days"),
        "added": ("Lignes ajoutées (arrondies à 100)", "Rows added (rounded to 100)"),
        "against_before": ("Face à la précédente", "Against the one before"),
        "change-better": ("mieux : {0}", "better: {0}"),
        "change-worse": ("moins bien : {0}", "worse: {0}"),
        "change-same": ("inchangé", "unchanged"),
        "description_file": ("description", "description"),
        "label_file": ("label", "label"),
        "no_version": ("Aucune version n'est publiée.", "No version is published yet."),
        "sample": ("Échantillon fictif", "Made-up sample"),
        "sample_says": (
            (
                "Des lignes de personnes inventées, dans la forme exacte des vraies. Elles ne "
                "disent rien de la population."
            ),
            (
                "Rows of invented people, in the exact form of the real ones. They say nothing "
                "of the population."
            ),
        ),
        "no_sample": ("Aucun échantillon n'est publié.", "No sample is published."),
        "data_holder": ("Détenteur des données", "Data holder"),
        "provenance": ("Provenance", "Provenance"),
        "coverage": ("Population couverte", "Population covered"),
        "frequency": ("Rythme", "Rhythm"),
        "frequency-MONTHLY": ("tous les mois", "monthly"),
        "frequency-ANNUAL": ("tous les ans", "yearly"),
        "frequency-WEEKLY": ("toutes les semaines", "weekly"),
        "frequency-QUARTERLY": ("tous les trimestres", "quarterly"),
        "keywords": ("Mots-clés", "Keywords"),
        "variables": ("Variables", "Variables"),
        "variable": ("Variable", "Variable"),
        "type": ("Type", "Type"),
        "missing": ("Vides", "Missing"),
        "holds": ("Contenu (codes et leurs lignes)", "Content (codes and their rows)"),
        "codes_of": ("codes : {0}", "codes: {0}"),
        "range": ("de {0} à {1}", "{0} to {1}"),
        "required": ("obligatoire", "required"),
        "type-string": ("texte", "text"),
        "type-integer": ("nombre entier", "whole number"),
        "type-decimal": ("nombre décimal", "decimal"),
        "type-date": ("date", "date"),
        "type-datetime": ("date et heure", "date and time"),
        "type-month": ("mois", "month"),
        "type-year": ("année", "year"),
        "type-yearmonth": ("année et mois", "year and month"),
        "grain-people": (
            "Chaque ligne nomme sa personne, par un pseudonyme.",
            "Each row names its person, by a pseudonym.",
        ),
        "grain-following": (
            "Chaque ligne dépend d'une ligne d'une autre table.",
            "Each row follows a row of another table.",
        ),
        "grain-nobody": (
            "Les lignes ne concernent aucun patient.",
            "The rows are of no patient.",
        ),
        "withheld-treated": (
            "pseudonyme ou clé : rien n'est compté",
            "pseudonym or key: nothing is counted",
        ),
        "withheld-words": ("texte libre : rien n'est compté", "free text: nothing is counted"),
        "withheld-few-people": (
            "trop peu de personnes partagent une valeur, ou presque toutes la même",
            "too few people share a value, or nearly all the same",
        ),
        "withheld-too-many": ("trop de valeurs différentes", "too many different values"),
        "withheld-not-counted": ("pas encore compté", "not counted yet"),
        "protected": ("Comment ces chiffres sont protégés", "How these numbers are protected"),
        "protected_says": (
            (
                "Une valeur n'est montrée que si au moins onze personnes différentes la "
                "partagent. Les effectifs sont arrondis à la centaine, les nombres à deux "
                "chiffres, les dates au mois ; une ligne sur cent reste hors de chaque bout d'un "
                "intervalle."
            ),
            (
                "A value is shown only if at least eleven different people share it. Counts are "
                "rounded to hundreds, numbers to two digits, dates to the month; one row in a "
                "hundred stays outside each end of a range."
            ),
        ),
        "of_dataset": ("Base : {0}", "Dataset: {0}"),
    }
)
