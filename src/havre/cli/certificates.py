"""`havre certificate …`: what a party shows to its peers over TLS, and what it has pinned of theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from havre.cli.options import JsonOption, PartyOption
from havre.cli.screen import Screen

certificate = typer.Typer(help="Certificates of parties that speak over TLS.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(certificate, name="certificate")


@certificate.command()
def make(
    *,
    party: PartyOption,
    days: Annotated[int, typer.Option(min=1, max=825, help="How long it is used.")] = 397,
    renew: Annotated[bool, typer.Option("--renew", help="Make another one.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a party's own certificate; the hub's own party is HUB/party."""
    from havre.bootstrap.certificates import make_certificate

    Screen(as_json=as_json).show(make_certificate(party, days=days, renew=renew))


@certificate.command()
def show(*, party: PartyOption, as_json: JsonOption = False) -> None:
    """List a party's own certificate and those that it has pinned."""
    from havre.bootstrap.certificates import show_certificates

    Screen(as_json=as_json).table("Certificates", show_certificates(party))


@certificate.command()
def pin(
    file: Annotated[Path, typer.Argument(help="The peer's certificate.pem.")],
    *,
    party: PartyOption,
    fingerprint: Annotated[str, typer.Option(help="SHA-256, as the peer's operator says it.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Take out those pinned of this peer before.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Pin a peer's certificate: from then on this one is accepted, and what else shows is not."""
    from havre.bootstrap.certificates import pin_certificate

    done = pin_certificate(party, file, fingerprint=fingerprint, replace=replace)
    Screen(as_json=as_json).show(done)
