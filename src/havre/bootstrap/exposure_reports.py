"""What `havre exposure` shows: one report of plain rows and sentences, for a screen or a program."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from havre.adapters.machine.clock import SystemClock
from havre.bootstrap.exposing import derive_exposure, read_deployment, suppose
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.sheets import read_sheet_files, read_sheets
from havre.domain.exposure.capital import Shown, ownership_table, show_share
from havre.domain.exposure.certificate import encode_certificate, encode_facts
from havre.domain.exposure.clauses import MODES, Mode
from havre.domain.exposure.deployment import Deployment, Message
from havre.domain.exposure.explaining import explain, parse_question
from havre.domain.exposure.hub import DerivedDeployment
from havre.domain.exposure.sheet import HostSheet, Standing
from havre.domain.exposure.telling import (
    MODE_WORDS,
    Answer,
    LawSummary,
    alone,
    answer,
    away,
    readers_alone,
    sentences,
    single_withdrawal,
    summarise,
)
from havre.domain.exposure.verdicts import Analysis
from havre.errors import InvalidInput

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Exposure:
    """One deployment analysed, and what a reader must know besides.

    supposed: the what-ifs that were put in. unstated: of whom there is no fact sheet.
    remarks: where sheets and set-up differ. hosts: one line on each fact sheet.
    """

    analysis: Analysis
    supposed: Sequence[str]
    unstated: Sequence[str]
    remarks: Sequence[str]
    hosts: Sequence[Row]


def look_at(
    *, hub: Path | None, deployment: str | None, takeovers: Sequence[str], gates: bool
) -> Exposure:
    """Analyse a hub as it is set up, or a deployment from a file, with what-ifs.

    hub: its directory; used when no deployment is named.
    deployment: a TOML file, or the name of one that comes with Havre.

    Raises:
        InvalidInput: neither is named, or what is read has faults.
        NotFound: there is no such hub, file or operator.
    """
    sheets: Sequence[HostSheet] = ()
    if deployment is not None:
        derived = DerivedDeployment(read_deployment(deployment), (), ())
    elif hub is not None:
        opened = OpenHub(hub)
        derived = derive_exposure(opened)
        sheets = list(read_sheets(opened.place.folder).values())
    else:
        raise InvalidInput(
            "Nothing was named to be analysed.",
            hint="Name a hub with --hub, or a deployment with --deployment.",
        )
    supposed = [*(f"taken over: {each}" for each in takeovers)]
    supposed += [] if gates else ["every maker pushes without anybody's leave"]
    changed = suppose(derived.deployment, takeovers=takeovers, gates=gates)
    today = SystemClock().now().date()
    return Exposure(
        Analysis(changed),
        supposed,
        derived.unstated,
        derived.remarks,
        [host_row(each, on=today) for each in sheets],
    )


def host_row(sheet: HostSheet, *, on: datetime.date) -> Row:
    """One fact sheet in a line: qualifications on a day, and the thresholds of 19.6.b."""
    table = ownership_table(sheet)
    return {
        "operator": sheet.operator,
        "title": sheet.title,
        "country": sheet.seat.country,
        "parts": [part.value for part in sheet.parts],
        "qualifications": [
            {
                "name": each.name,
                "scope": each.scope,
                "until": each.ends_on.isoformat(),
                "standing": each.standing(on).value,
                "grade": each.evidence.grade.name,
            }
            for each in sheet.qualifications
        ],
        "secnumcloud_19_6_b": {
            "thresholds": table.verdict.value,
            "reasons": list(table.reasons),
            "together": show_share(table.together),
            "unstated": show_share(table.unstated),
            "holders": [
                {
                    "holder": each.holder,
                    "country": each.country,
                    "direct": f"{each.direct / 100:g} %",
                    "all": show_share(each.all_of_it),
                    "veto": each.veto,
                    "appoints_most_of_a_board": each.appoints,
                }
                for each in table.lines
            ],
        },
    }


def read_host_rows(paths: Sequence[Path]) -> list[Row]:
    """Read fact sheets, and tell of each what is computed of it today.

    Raises:
        InvalidInput: everything that is wrong in them.
    """
    today = SystemClock().now().date()
    return [host_row(each, on=today) for each in read_sheet_files(paths)]


def warnings_of(hosts: Iterable[Row]) -> list[str]:
    """Say which qualifications end or have ended, and which thresholds are not kept."""
    return [told for host in hosts for told in (*_ending(host), *_thresholds(host))]


def _ending(host: Row) -> list[str]:
    return [
        f"{host['title']}: {each['name']} ({each['scope']}): {each['standing']},"
        f" until {each['until']}."
        for each in host["qualifications"]
        if each["standing"] != Standing.IN_FORCE
    ]


def _thresholds(host: Row) -> list[str]:
    capital = host["secnumcloud_19_6_b"]
    if capital["thresholds"] == Shown.WITHIN:
        return []
    reasons = "; ".join(capital["reasons"])
    return [
        f"{host['title']}: thresholds of SecNumCloud 19.6.b {capital['thresholds']}: {reasons}."
    ]


def matrix(exposure: Exposure) -> list[Row]:
    """One row a message: an answer for each law and mode, who is enough alone, the fewest."""
    return [_row(exposure.analysis, message) for message in exposure.analysis.deployment.messages]


def _row(analysis: Analysis, message: Message) -> Row:
    least = analysis.coalitions(message.name, mode=Mode.PASSIVE).least
    return {
        "message": message.name,
        "title": message.title,
        "kind": message.kind.value,
        "answers": {
            law: {
                mode.value: _answer(answer(analysis, message=message.name, law=law, mode=mode))
                for mode in MODES
            }
            for law in analysis.deployment.laws
        },
        "alone": alone(analysis, message.name),
        "smallest": {
            mode.value: analysis.coalitions(message.name, mode=mode).smallest for mode in MODES
        },
        "example": sorted(least[0]) if least else None,
    }


def _answer(found: Answer) -> Row:
    return {"verdict": found.verdict.value, "margin": found.margin, "grade": found.grade.name}


def report(exposure: Exposure) -> Row:
    """Everything, for a program."""
    analysis = exposure.analysis
    return {
        "deployment": analysis.deployment.name,
        "title": analysis.deployment.title,
        "verdicts_are": "under the stated facts; they say nothing of copies that no fact names",
        "supposed": list(exposure.supposed),
        "weakest_fact": weakest(analysis.deployment),
        "laws": list(analysis.deployment.laws),
        "operators": dict(analysis.deployment.operators),
        "unstated": list(exposure.unstated),
        "remarks": list(exposure.remarks),
        "hosts": list(exposure.hosts),
        "warnings": warnings_of(exposure.hosts),
        "sentences": sentences(analysis),
        "under_law": [_summary(summarise(analysis, law)) for law in analysis.foreign_laws],
        "alone": readers_alone(analysis),
        "withdrawal": single_withdrawal(analysis),
        "matrix": matrix(exposure),
        "kill_margin": analysis.stopping.kill_margin,
        "kill_sets": [sorted(each) for each in analysis.stopping.coalitions.least],
    }


def _summary(found: LawSummary) -> Row:
    return {
        "law": found.law,
        "derivable": [f"{name} ({MODE_WORDS[mode]})" for name, mode in found.derivable],
        "not_excluded": list(found.not_excluded),
        "not_derivable": [f"{name} ({away(margin)})" for name, margin in found.not_derivable],
    }


def weakest(deployment: Deployment) -> str:
    """Name the weakest grade of all facts."""
    return min(fact.evidence.grade for fact in deployment.facts).name


def explained(exposure: Exposure, question: str) -> list[str]:
    """Say why one cell is as it is, in lines."""
    message, law, mode = parse_question(question, exposure.analysis)
    return list(explain(exposure.analysis, message=message, law=law, mode=mode))


def write_certificate(exposure: Exposure, path: Path) -> int:
    """Write the certificate that `tools/check_exposure.py` checks; returns its size in bytes."""
    return _write(path, encode_certificate(exposure.analysis))


def write_facts(exposure: Exposure, path: Path) -> int:
    """Write the facts alone, to be compared with those in a certificate; returns the size."""
    return _write(path, encode_facts(exposure.analysis.deployment))


def _write(path: Path, content: bytes) -> int:
    draft = path.with_name(f".{path.name}.part")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return len(content)
