"""What a fact sheet states, as facts of a deployment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from havre.domain.exposure.facts import Arguable, Fact, Owns, Push, Subject
from havre.domain.exposure.sheet import HostSheet


def people_of_sheet(sheet: HostSheet, *, name: str) -> dict[str, str]:
    """Name everybody of whom a sheet speaks: the host, its parents, the makers of its machines.

    name: the host's short name in the deployment.
    """
    parents = {each.name: each.title for each in sheet.parents}
    makers = {each.name: each.title for each in sheet.makers}
    return {**parents, **makers, name: sheet.title}


def facts_of_sheet(sheet: HostSheet, *, name: str) -> Iterator[Fact]:
    """State where the host and its parents stand and who owns whom.

    A site in another country than the seat puts the host under that country's law
    too: whoever can send somebody to the machine can take it.
    """
    countries = {sheet.seat.country: sheet.seat.evidence}
    for site in sheet.sites:
        countries.setdefault(site.country, site.evidence)
    for country, evidence in countries.items():
        yield Subject(evidence=evidence, operator=name, law=country)
    for argued in sheet.argued:
        told = f"{argued.reason} ({argued.evidence.source})"
        evidence = replace(argued.evidence, source=told)
        yield Arguable(evidence=evidence, operator=name, law=argued.law)
    for maker in sheet.makers:
        yield Subject(evidence=maker.evidence, operator=maker.name, law=maker.country)
    for parent in sheet.parents:
        yield Subject(evidence=parent.evidence, operator=parent.name, law=parent.country)
        yield Owns(
            evidence=parent.evidence,
            parent=parent.name,
            child=parent.of or name,
            share=parent.share,
            control=parent.control or parent.appoints,
        )


def updates_of_sheet(sheet: HostSheet, *, name: str, system: str) -> Iterator[Push]:
    """State who can change what runs on a system that stands on the host's machines."""
    for updates in sheet.updates:
        yield Push(
            evidence=updates.evidence,
            system=system,
            by=updates.by,
            signatures=updates.signatures,
            gates=(name,) if updates.gated else (),
        )
