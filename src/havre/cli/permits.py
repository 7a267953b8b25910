"""`havre permit …`: asking, signing, deciding, and where each stands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from havre.cli.options import HubOption, JsonOption, PartyOption, open_hub, read_hub
from havre.cli.screen import Screen

permit = typer.Typer(help="Permits: who may use which data for what.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The permit's name.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(permit, name="permit")


@permit.command()
def ask(
    application: Annotated[Path, typer.Argument(help="The TOML file of docs/permits.md.")],
    *,
    party: PartyOption,
    hub: HubOption,
    as_json: JsonOption = False,
) -> None:
    """As an applicant: put an application on the log; for upkeep, as the controller."""
    from havre.bootstrap.reports import open_applicant, permit_row, read_file

    asked = read_file(application)
    standing = open_hub(hub).permits.ask(asked, applicant=open_applicant(party, asked))
    Screen(as_json=as_json).show(permit_row(standing))


@permit.command()
def sign(name: Name, *, party: PartyOption, hub: HubOption, as_json: JsonOption = False) -> None:
    """As an authority: sign the permit's text; the second signature grants it."""
    from havre.bootstrap.reports import open_party, permit_row

    standing = open_hub(hub).permits.sign(name, authority=open_party(party, role="authority"))
    Screen(as_json=as_json).show(permit_row(standing))


Reason = Annotated[str, typer.Option(help="Why, for the signed decision.")]


@permit.command()
def decide(
    name: Name,
    state: Annotated[str, typer.Argument(help="refused, suspended or revoked.")],
    *,
    reason: Reason,
    party: PartyOption,
    hub: HubOption,
    as_json: JsonOption = False,
) -> None:
    """As an authority: refuse, suspend or revoke; custodians are told before the hub."""
    _decide(name, state, reason, party=party, hub=hub, as_json=as_json)


@permit.command()
def suspend(
    name: Name,
    *,
    reason: Reason,
    party: PartyOption,
    hub: HubOption,
    as_json: JsonOption = False,
) -> None:
    """As an authority: suspend a permit until it is granted anew or revoked."""
    _decide(name, "suspended", reason, party=party, hub=hub, as_json=as_json)


@permit.command()
def revoke(
    name: Name,
    *,
    reason: Reason,
    party: PartyOption,
    hub: HubOption,
    as_json: JsonOption = False,
) -> None:
    """As an authority: revoke a permit for ever; `havre clock run` then deletes its project."""
    _decide(name, "revoked", reason, party=party, hub=hub, as_json=as_json)


def _decide(name: str, state: str, reason: str, *, party: Path, hub: Path, as_json: bool) -> None:
    from havre.bootstrap.deciding import decide_permit
    from havre.bootstrap.reports import open_party, permit_row, read_reason, read_state

    standing, told = decide_permit(
        open_hub(hub),
        name,
        read_state(state),
        authority=open_party(party, role="authority"),
        reason=read_reason(reason),
    )
    Screen(as_json=as_json).show(
        {
            **permit_row(standing),
            "custodians_told": told.obey,
            "witnesses_told": told.keep,
            "not_reached": told.silent,
        }
    )


@permit.command()
def withdraw(
    name: Name,
    state: Annotated[str, typer.Argument(help="suspended or revoked.")],
    *,
    reason: Annotated[str, typer.Option(help="Why, for the signed decision.")],
    log: Annotated[str, typer.Option(help="The published log: a folder, or https://host/log.")],
    to: Annotated[list[str], typer.Option(help="A custodian or witness: directory or address.")],
    out: Annotated[Path, typer.Option(help="Where the signed decision is written, for the hub.")],
    party: PartyOption,
    as_json: JsonOption = False,
) -> None:
    """As an authority, past the hub: suspend or revoke, and tell custodians and witnesses.

    The hub gets the decision afterwards: `havre permit record`. That it is not on the
    log after a day is an alarm of `havre audit`.
    """
    from havre.bootstrap.deciding import withdraw_past_the_hub
    from havre.bootstrap.reports import open_party, read_reason, read_state

    told = withdraw_past_the_hub(
        name,
        read_state(state),
        authority=open_party(party, role="authority"),
        reason=read_reason(reason),
        log=log,
        to=to,
        out=out,
    )
    Screen(as_json=as_json).show(
        {"custodians_told": told.obey, "witnesses_told": told.keep, "not_reached": told.silent}
    )


@permit.command()
def record(
    decision: Annotated[Path, typer.Argument(help="What `havre permit withdraw` wrote.")],
    *,
    hub: HubOption,
    as_json: JsonOption = False,
) -> None:
    """Put a decision on the log that an authority signed elsewhere."""
    from havre.bootstrap.reports import permit_row, read_file

    standing = open_hub(hub).permits.take_decision(read_file(decision))
    Screen(as_json=as_json).show(permit_row(standing))


@permit.command()
def show(name: Name, *, hub: HubOption, as_json: JsonOption = False) -> None:
    """Show where a permit stands and what it grants."""
    from havre.bootstrap.reports import permit_details

    Screen(as_json=as_json).show(permit_details(read_hub(hub).permits.standing(name)))


@permit.command("list")
def list_permits(*, hub: HubOption, as_json: JsonOption = False) -> None:
    """List every permit."""
    from havre.bootstrap.reports import permit_row

    standings = read_hub(hub).permits.list_permits()
    screen = Screen(as_json=as_json)
    if standings or as_json:
        screen.table("Permits", [permit_row(each) for each in standings])
    else:
        screen.say("Nobody has asked for a permit yet.")
