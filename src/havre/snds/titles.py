"""What the columns of the SNDS that Havre describes itself hold, in French and in English.

For the catalogue's pages, where a table's own description gives no title: an imported
schema has titles of its own, in its own language.

Source: descriptions of the columns as Cnam, ATIH and Inserm publish them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# Name: in French, in English.
_TITLES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "ACV_ACT": ("activité de la CCAM", "CCAM activity"),
        "AGE_ANN": ("âge en années", "age in years"),
        "ASS_DGN": ("diagnostic associé", "associated diagnosis"),
        "AUT_TYP1_UM": (
            "type d'autorisation de l'unité médicale",
            "kind of the unit's authorisation",
        ),
        "BDI_DEP": ("département de résidence", "department of residence"),
        "BEN_CDI_NIR": ("nature du numéro d'inscription", "nature of the registration number"),
        "BEN_DCD_AME": ("année et mois de décès", "year and month of death"),
        "BEN_DCD_DTE": ("date de décès", "date of death"),
        "BEN_DTE_INS": ("date d'entrée au référentiel", "date of entry into the register"),
        "BEN_DTE_MAJ": ("date de mise à jour", "date of update"),
        "BEN_IDT_ANO": (
            "identifiant unique du bénéficiaire",
            "unique identifier of the beneficiary",
        ),
        "BEN_IDT_TOP": ("type de l'identifiant unique", "kind of the unique identifier"),
        "BEN_NAI_ANN": ("année de naissance", "year of birth"),
        "BEN_NAI_MOI": ("mois de naissance", "month of birth"),
        "BEN_NIR_ANO": ("pseudonyme au niveau de la personne", "pseudonym of the person"),
        "BEN_NIR_PSA": ("pseudonyme du bénéficiaire", "pseudonym of the beneficiary"),
        "BEN_RES_COM": ("commune de résidence", "commune of residence"),
        "BEN_RES_DPT": ("département de résidence", "department of residence"),
        "BEN_RNG_GEM": ("rang parmi les jumeaux", "rank among twins"),
        "BEN_SEX_COD": ("sexe", "sex"),
        "BSE_PRS_NAT": ("nature de la prestation de base", "kind of service, base"),
        "BSE_REM_BSE": ("base du remboursement", "base of reimbursement"),
        "BSE_REM_MNT": ("montant remboursé, part de base", "amount reimbursed, base"),
        "CAM_ACT_COD": ("activité de la CCAM", "CCAM activity"),
        "CAM_ACT_PRU": ("prix unitaire de l'acte", "unit price of the procedure"),
        "CAM_ORD_NUM": ("numéro d'ordre de l'acte", "order number of the procedure"),
        "CAM_PRS_IDE": ("acte de la CCAM", "CCAM procedure"),
        "CAM_TRT_PHA": ("phase de traitement de la CCAM", "CCAM phase of treatment"),
        "CDC_ACT": ("acte de la CCAM", "CCAM procedure"),
        "COD_SEX": ("sexe", "sex"),
        "CPL_AFF_COD": ("code d'affinement du complément", "code of the supplement"),
        "CPL_MAJ_TOP": (
            "top de majoration ou de participation",
            "flag of a supplement or a participation",
        ),
        "CPL_PRS_NAT": ("nature du complément de prestation", "kind of service, supplement"),
        "CPL_REM_MNT": ("montant remboursé, part complémentaire", "amount reimbursed, supplement"),
        "DAT_RET": ("contrôle de la date de référence", "check of the reference date"),
        "DCD_CIM_COD": ("cause initiale du décès", "underlying cause of death"),
        "DCD_IDT_ENC": ("identifiant du certificat", "identifier of the certificate"),
        "DCD_IDT_TOP": ("type d'appariement du certificat", "kind of linkage of the certificate"),
        "DCT_ORD_NUM": (
            "numéro d'ordre du décompte dans l'organisme",
            "order number of the claim in its fund",
        ),
        "DGN_ASS_NBR": (
            "nombre de diagnostics associés dans l'unité",
            "number of associated diagnoses in the unit",
        ),
        "DGN_PAL": ("diagnostic principal", "main diagnosis"),
        "DGN_REL": ("diagnostic relié", "related diagnosis"),
        "DPN_QLF": ("qualificatif de la dépense", "qualifier of the expense"),
        "ENT_DAT_DEL": ("jours entre l'entrée et l'acte", "days from entry to the procedure"),
        "ENT_MOD": ("mode d'entrée", "mode of entry"),
        "ETA_NUM": ("établissement", "hospital"),
        "EXE_SOI_DTD": ("date de début des soins", "first day of care"),
        "EXE_SOI_DTF": ("date de fin des soins", "last day of care"),
        "FHO_RET": ("contrôle du fichier de liaison", "check of the linking file"),
        "FLX_DIS_DTD": ("mois de mise à disposition", "month of availability"),
        "FLX_EMT_NUM": ("numéro de l'émetteur du flux", "number of the flow's sender"),
        "FLX_EMT_ORD": ("numéro de séquence du flux", "sequence number of the flow"),
        "FLX_EMT_TYP": ("type d'émetteur du flux", "type of the flow's sender"),
        "FLX_PER_ANN": ("année de la base des décès", "year of the file of deaths"),
        "FLX_TRT_DTD": ("date d'entrée dans le système", "date of entry into the system"),
        "GRG_GHM": ("groupe homogène de malades", "diagnosis-related group"),
        "GRG_RET": ("code retour du groupage", "return code of the grouping"),
        "IMB_ALD_DTD": (
            "début de l'affection de longue durée",
            "beginning of the long-term illness",
        ),
        "IMB_ALD_DTF": ("fin de l'affection de longue durée", "end of the long-term illness"),
        "IMB_ALD_NUM": ("numéro de l'affection de longue durée", "number of the long-term illness"),
        "IMB_ETM_NAT": ("nature de l'exonération", "ground of exemption"),
        "INS_DTE": ("date d'insertion", "date of insertion"),
        "MCO_ANN": ("année du fichier", "year of the file"),
        "MED_MTF_COD": ("motif médical", "medical reason"),
        "NAI_RET": ("contrôle de la date de naissance", "check of the date of birth"),
        "NBR_ACT": ("nombre d'actes", "number of procedures"),
        "NBR_DGN": ("nombre de diagnostics associés", "number of associated diagnoses"),
        "NBR_RUM": ("nombre d'unités médicales", "number of medical units"),
        "NIR_ANO_17": ("pseudonyme du patient", "pseudonym of the patient"),
        "NIR_RET": ("contrôle du numéro", "check of the number"),
        "ORG_AFF_BEN": ("organisme d'affiliation", "fund of affiliation"),
        "ORG_CLE_NUM": ("organisme de liquidation", "fund that settled the claim"),
        "PFS_EXE_NUM": ("professionnel exécutant", "professional who acted"),
        "PHA_ACT": ("phase de la CCAM", "CCAM phase"),
        "PHA_ACT_PRU": ("prix unitaire du médicament", "unit price of the drug"),
        "PHA_ACT_QSN": (
            "nombre de boîtes, négatif pour une annulation",
            "number of boxes, negative for a cancellation",
        ),
        "PHA_ORD_NUM": ("numéro d'ordre du médicament", "order number of the drug"),
        "PHA_PRS_C13": ("médicament, code CIP à 13 chiffres", "drug, CIP code of 13 digits"),
        "PMS_RET": ("contrôle du fichier PMSI", "check of the PMSI file"),
        "PRS_ACT_QTE": (
            "quantité, négative pour une annulation",
            "quantity, negative for a cancellation",
        ),
        "PRS_NAT_REF": ("nature de la prestation de référence", "kind of service, of reference"),
        "PRS_ORD_NUM": (
            "numéro d'ordre de la prestation dans le décompte",
            "order number of the service in the claim",
        ),
        "PRS_PAI_MNT": ("montant de la dépense", "amount spent"),
        "PSE_SPE_COD": ("spécialité du professionnel exécutant", "speciality of the professional"),
        "REM_TYP_AFF": ("type de remboursement affiné", "type of refined reimbursement"),
        "RGO_REM_TAU": ("taux de remboursement", "rate of reimbursement"),
        "RSA_NUM": ("numéro du séjour", "number of the stay"),
        "SEJ_NBJ": ("durée du séjour", "length of stay"),
        "SEJ_RET": ("contrôle du numéro de séjour", "check of the stay's number"),
        "SEX_RET": ("contrôle du sexe", "check of the sex"),
        "SOR_ANN": ("année de sortie", "year of exit"),
        "SOR_MOD": ("mode de sortie", "mode of exit"),
        "SOR_MOI": ("mois de sortie", "month of exit"),
        "UM_ORD_NUM": ("numéro d'ordre de l'unité médicale", "order number of the medical unit"),
        "UPD_DTE": ("date de mise à jour de la ligne", "date of the row's update"),
    }
)


def find_title(column: str, language: str) -> str:
    """Say what a column holds; nothing of one that is not here.

    language: `fr`, or any other for English.

    >>> find_title("SEJ_NBJ", "fr"), find_title("SEJ_NBJ", "en"), find_title("X", "en")
    ('durée du séjour', 'length of stay', '')
    """
    french, english = _TITLES.get(column.upper(), ("", ""))
    return french if language == "fr" else english
