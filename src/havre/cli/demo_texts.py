"""What the demo says, and the permit that its researcher asks for."""

from __future__ import annotations

STEPS = (
    "Found a hub: keys, log, and custodians and witnesses as processes",
    "Make up people: illnesses, and the SNDS files of their care",
    "Deliver and ingest: sealed at the holder, checked and pseudonymised at the hub",
    "Ask for a permit: two authorities sign, the log says so",
    "Make the extract: the minimum, under the project's own pseudonyms",
    "Run the study: a researcher's Python script in the sandbox",
    "Review and release: a machine's check, then two people",
    "Publish and verify: a stranger checks all of it, offline",
    "Leave: the hub is packed, opened elsewhere, and proves equality",
    "Who can read what: under which law, alone or together",
    "Two drills: what is promised is tried, and the receipts are public",
    "The public site: everything above, for anybody to check",
)

FIRST = "Made-up people, and everything else real: 12 acts, of commands that anybody can run."

# What a drill rehearses, in a few words.
TRIED = {
    "subpoena": "a court takes all that the store's host has",
    "fork": "the log's operator shows a false log",
}

# Under the matrix: its signs, the truth of one machine, and the same software set up apart.
SIGNS = (
    "\N{CIRCLE WITH LEFT HALF BLACK} not excluded: nobody has stated where this machine stands. By a"
    " warrant (w), with active help (h), with broken hardware as well (b)."
)
ONE_MACHINE = (
    "Everything is on one machine here: whoever runs it, or breaks into it, reads everything."
    " Processes are not houses."
)
APART = (
    "At houses of their own, with one store under {law} law (havre exposure --deployment b2), the"
    " same software gives that law: {derivable}. The base takes {fewest} together."
)

PERMIT = """\
[permit]
name = "diabetes-regions"
title = "Diabetes by region, survival after heart failure"
purpose = "Describe where new cases of diabetes are most frequent, to direct prevention."
applicant = "researcher"
people = ["researcher"]
period = [2022-01-01, 2024-12-31]
starts_on = 2026-01-01
ends_on = 2030-12-31
environment_sha256 = "{environment}"

[population]
birth_years = [1925, 2007]

[tables.beneficiaires.IR_BEN_R]
columns = ["BEN_NIR_PSA", "BEN_RNG_GEM", "BEN_IDT_ANO", "BEN_NAI_ANN", "BEN_SEX_COD", "BEN_RES_DPT", "BEN_DCD_DTE"]

[tables.beneficiaires.IR_IMB_R]
columns = ["BEN_NIR_PSA", "BEN_RNG_GEM", "IMB_ALD_DTD", "MED_MTF_COD"]

[tables.dcir.ER_PRS_F]
columns = ["BEN_NIR_PSA", "BEN_RNG_GEM", "EXE_SOI_DTD", "DCT_ORD_NUM", "FLX_DIS_DTD", "FLX_EMT_NUM", "FLX_EMT_ORD", "FLX_EMT_TYP", "FLX_TRT_DTD", "ORG_CLE_NUM", "PRS_ORD_NUM", "REM_TYP_AFF"]

[tables.dcir.ER_PHA_F]
columns = ["PHA_PRS_C13", "PHA_ACT_QSN", "DCT_ORD_NUM", "FLX_DIS_DTD", "FLX_EMT_NUM", "FLX_EMT_ORD", "FLX_EMT_TYP", "FLX_TRT_DTD", "ORG_CLE_NUM", "PRS_ORD_NUM", "REM_TYP_AFF"]

[tables.pmsi-mco.T_MCOaaB]
columns = ["MCO_ANN", "ETA_NUM", "RSA_NUM", "DGN_PAL"]

[tables.pmsi-mco.T_MCOaaC]
columns = ["MCO_ANN", "ETA_NUM", "RSA_NUM", "NIR_ANO_17", "EXE_SOI_DTD"]

[output]
min_count = 11
kinds = ["table", "figure"]
"""
