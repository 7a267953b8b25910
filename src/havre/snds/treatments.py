"""What becomes of the columns of the SNDS, by their name: every number of somebody or something.

The first entry that fits counts. A name that no entry knows is undeclared, and its
table stays out of the lake: what looks harmless here was read, name by name
(`snds.reviewed`), and a name that nobody has read is nobody's to give away.

Source: the 188 published tables (schema-snds, December 2020), read for identifiers
of people, stays, claims, professionals, establishments, employers and vehicles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from havre.snds.filing import DCIR_KEYS
from havre.snds.reviewed import HARMLESS, PLAIN

_PERSON, _KEY = "foreign-pseudonym", "technical-key"

# Realms of numbers that do not say whose row it is: a mother's, a professional's,
# a driver's. A table is never cut to a permit's people by one of these.
NOT_WHOSE_ROW: frozenset[str] = frozenset(
    {"crew", "nir-mam", "nir-ps", "rejected-value", "vehicle", "vehicle-c"}
)

# Realms of numbers that a patient has in the whole country; an annuity, a certificate or a
# hospital's own number are known in one place only.
OF_PATIENTS: frozenset[str] = frozenset({"nir-psa", "nir-ano", "idt-ano"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnTreatment:
    """What becomes of columns by their name: reviewed once for the whole SNDS.

    columns: patterns with `*`, compared without case.
    names: whole names in upper case, compared without case.
    why: what the numbers are, where the name alone does not say it.
    """

    treatment: str
    columns: tuple[str, ...] = ()
    names: frozenset[str] = field(default=frozenset())
    realm: str = ""
    sentinels: tuple[str, ...] = ()
    why: str = ""


def _plain(groups: Mapping[str, str]) -> tuple[ColumnTreatment, ...]:
    return tuple(
        ColumnTreatment(names=frozenset(names.split()), treatment="plain", why=why)
        for why, names in groups.items()
    )


TREATMENTS: tuple[ColumnTreatment, ...] = (
    ColumnTreatment(
        columns=("BEN_NIR_PSA", "NIR_ANO_17", "ASS_NIR_ANO"),
        treatment=_PERSON,
        realm="nir-psa",
    ),
    ColumnTreatment(columns=("BEN_NIR_ANO",), treatment=_PERSON, realm="nir-ano"),
    ColumnTreatment(columns=("BEN_IDT_ANO", "ID_CARTO"), treatment=_PERSON, realm="idt-ano"),
    ColumnTreatment(
        columns=("BEN_NIR_IDT",),
        treatment=_PERSON,
        realm="nir-egb",
        why="a person of the permanent sample (EGB), by a pseudonym of the sample's own",
    ),
    ColumnTreatment(
        columns=("BEN_RAT_ANO",),
        treatment=_PERSON,
        realm="annuity",
        why="the annuity of one injured person",
    ),
    ColumnTreatment(
        columns=("NIR_ANO_MAM", "ID_MAM_ENF"),
        treatment=_PERSON,
        realm="nir-mam",
        # A newborn whose mother had no stay.
        sentinels=("AB" * 16,),
        why="a mother and her child: one number under two names",
    ),
    ColumnTreatment(columns=("IPP_IRR_CRY",), treatment=_PERSON, realm="ipp"),
    ColumnTreatment(columns=("DCD_IDT_ENC",), treatment=_PERSON, realm="death"),
    # Not `nir`: that stage reads a key, a birth date and a sex, and the register of
    # professionals has the 13 characters alone. Hashed at the holder all the same.
    ColumnTreatment(
        columns=("IPP_IDV_NUM",),
        treatment=_PERSON,
        realm="nir-ps",
        why="the NIR of a professional, in clear",
    ),
    ColumnTreatment(
        columns=("TRS_CDR_NOM*", "TRS_ACP_NOM*"),
        treatment=_PERSON,
        realm="crew",
        why="the names of an ambulance's driver and of who goes with them, in clear or not",
    ),
    ColumnTreatment(
        columns=("TRS_VEH_NUM",), treatment=_PERSON, realm="vehicle", why="a number plate, in clear"
    ),
    ColumnTreatment(columns=("TRS_VEH_NUMC",), treatment=_PERSON, realm="vehicle-c"),
    # What was typed into a cell and refused may be anything, a person's number too.
    ColumnTreatment(
        columns=("PRS_ANO_ORI", "PRS_ANO_DEF", "PRS_ANO_COM", "DUMMY"),
        treatment=_PERSON,
        realm="rejected-value",
        why="a rejected value, what stands for it, and the words about it",
    ),
    ColumnTreatment(
        columns=(
            *DCIR_KEYS,
            "CLE_DCI_JNT",
        ),
        treatment=_KEY,
    ),
    ColumnTreatment(
        columns=("ORG_CLE_NEW",),
        treatment=_KEY,
        realm="ORG_CLE_NUM",
        why="the same fund as ORG_CLE_NUM, after the funds were merged",
    ),
    ColumnTreatment(
        columns=("CLE_TEC_PRS", "CLE_TEC_DCT", "*_SEQ_NUM", "DCT_EMT_IDT"),
        treatment=_KEY,
        why="one line, one claim, one sender of claims",
    ),
    ColumnTreatment(
        columns=("FAC_NUM", "NUM_FAC"), treatment=_KEY, realm="FAC_NUM", why="one invoice of a stay"
    ),
    ColumnTreatment(
        columns=("NUM_DAT_AT", "IJR_EMP_NUM"),
        treatment=_KEY,
        why="one accident at work, and one person's employer",
    ),
    ColumnTreatment(
        columns=(
            "ETA_NUM*",
            "ETB_*_FIN",
            "ETB_NUM",
            "ETE_ETA_TRF",
            "IDE_ETA_NU?",
            "IDE_GES_NUM",
            "IDE_NUM_ANC",
            "IDE_NUM_NOU",
            "IDE_NUM_PCP",
        ),
        treatment=_KEY,
        realm="eta",
        why="an establishment, by its FINESS number",
    ),
    ColumnTreatment(columns=("IDE_SRT_NUM", "TIP_SIR_NUM"), treatment=_KEY, realm="siret"),
    # An establishment's name or street beside its replaced number would undo the replacement.
    ColumnTreatment(
        columns=(
            "IDE_ETA_NOM",
            "IDE_CPT_RSC",
            "IDE_IDE_CPL",
            "SOC_RAI",
            "IDE_INT_ADR",
            "IDE_TEL_NU?",
            "IDE_FAX_NUM",
            "IDE_ADR_CPL",
            "IDE_VOI_*",
        ),
        treatment=_KEY,
        why="what names an establishment as its number does",
    ),
    ColumnTreatment(
        columns=("RSA_NUM", "RHA_NUM", "RHS_NUM", "RHAD_NUM", "RIP_NUM", "SEQ_NUM", "SEJ_IDT"),
        treatment=_KEY,
    ),
    ColumnTreatment(
        columns=("SEJ_NUM", "ENT_NUM", "DAT_HOS", "ORD_NUM", "MES_REP_TPS"),
        treatment=_KEY,
        why="one stay, one admission, one act or measure at a hospital",
    ),
    ColumnTreatment(
        columns=("LOT_PHA_NUM", "LOT_SER_NUM"), treatment=_KEY, why="one box of a medicine"
    ),
    ColumnTreatment(
        columns=(
            "PFS_*_NUM",
            "PRS_MTT_NUM",
            "PSP_PPS_NUM",
            "MTT_PFS_NUM",
            "STA_PFS_NUM",
            "FIS_PFS_NUM",
        ),
        treatment=_KEY,
        realm="pfs",
        why="a professional",
    ),
    ColumnTreatment(
        columns=("PFS_*_NUMC", "PRS_MTT_NUMC", "PSP_PPS_NUMC"),
        treatment=_KEY,
        realm="pfs-c",
        why="a professional, by another pseudonym than in the other columns",
    ),
    ColumnTreatment(
        columns=("PFS_SCN_COD",), treatment=_KEY, realm="practice", why="a group practice"
    ),
    *_plain(HARMLESS),
    *_plain(PLAIN),
)
