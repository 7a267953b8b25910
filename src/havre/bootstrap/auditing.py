"""`havre audit`, wired: counters, direct decisions and the log, held against each other."""

from __future__ import annotations

from typing import Any

from havre.application.asking import Patience
from havre.application.counting import CounterAudit, CounterReport, Unlogged
from havre.bootstrap.hub import OpenHub
from havre.errors import HavreError, NotGenuine, gravest

_STATUS_WITHIN_S = 5.0


def audit_counters(hub: OpenHub) -> CounterReport:
    """Ask every custodian and witness of a hub, and compare with its published log.

    Raises:
        NotGenuine: the log does not hold.
    """
    return _audit_of(hub, patience=Patience()).audit()


def decisions_off_the_log(hub: OpenHub) -> list[str]:
    """Name the permits that an authority withdrew a day ago or more, and whose decision is not logged."""
    found = _audit_of(hub, patience=Patience(within_s=_STATUS_WITHIN_S)).unlogged()
    return sorted({each.permit for each in found})


def audit_result(report: CounterReport) -> dict[str, Any]:
    """What the command shows."""
    return {
        "answers_counted": report.answers,
        "alarms": alarms_of(report),
        "could_not_be_asked": {name: each.message for name, each in sorted(report.silent.items())},
    }


def alarms_of(report: CounterReport) -> list[str]:
    """Every alarm in a sentence that names who and what."""
    return [
        *(f"{each.custodian}, request {each.request}: {each.what}." for each in report.differences),
        *(f"{name}: {each.message}" for name, each in sorted(report.faults.items())),
        *map(_told_of, report.unlogged),
    ]


def ending_of_audit(report: CounterReport) -> HavreError | None:
    """With which refusal an audit ends; null when everybody was asked and nothing differs."""
    faults: list[HavreError] = list(report.silent.values())
    if count := len(alarms_of(report)):
        faults.append(
            NotGenuine(
                f"{count} alarms: parties and the log differ.",
                hint="Keep everything as it is, and tell the auditor and the authority.",
            )
        )
    return gravest(faults) if faults else None


def _told_of(missing: Unlogged) -> str:
    return (
        f"Permit {missing.permit} was {missing.state} by an authority at {missing.decided_at}, and"
        f" the log does not say so; told were {', '.join(missing.told)}."
    )


def _audit_of(hub: OpenHub, *, patience: Patience) -> CounterAudit:
    return CounterAudit(
        log=hub.log,
        custodians=hub.custodians,
        keepers=[*hub.custodians, hub.escrow, *hub.witnesses],
        roots=hub.roots,
        clock=hub.clock,
        patience=patience,
    )
