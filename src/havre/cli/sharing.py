"""`havre keys …` for ceremonies that give shares to others: drafted, ordered, attended, held."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from havre.cli.keys import OrderFile, keys
from havre.cli.options import HubOption, JsonOption, PartyOption, open_hub, read_hub
from havre.cli.screen import Screen

TrustFile = Annotated[Path, typer.Option("--trust", help="The trust roots that follow.")]
# What a command that leaves old shares undestroyed ends with: the same call may end it later.
_STILL_OPEN = 6


def register(_app: typer.Typer) -> None:
    """Add these commands to those of `havre keys`."""
    keys.command("draft-trust")(draft_trust)
    keys.command("reshare-order")(reshare_order)
    keys.command()(attend)
    keys.command()(adopt)
    keys.command()(reshare)


def draft_trust(
    *,
    add: Annotated[
        list[Path] | None, typer.Option(help="The directory of a party who becomes a custodian.")
    ] = None,
    former: Annotated[
        list[str] | None, typer.Option(help="Who is no custodian any more, by name.")
    ] = None,
    threshold: Annotated[
        int | None, typer.Option(help="How many custodians open a partition together.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where the new trust roots are written.")],
    hub: HubOption,
    as_json: JsonOption = False,
) -> None:
    """Write trust roots in which others hold the shares; nothing follows from it yet."""
    from havre.bootstrap.resharing import draft_trust as draft

    Screen(as_json=as_json).show(
        draft(read_hub(hub), add=add or [], former=former or [], threshold=threshold, out=out)
    )


def reshare_order(
    *,
    trust: TrustFile,
    party: Annotated[
        list[Path], typer.Option("--party", help="Who orders it; twice if both are here.")
    ],
    out: Annotated[Path, typer.Option(help="Where the signed order is written.")],
    hub: HubOption,
    as_json: JsonOption = False,
) -> None:
    """As the controller: sign that others are to hold the shares; an authority signs too."""
    from havre.bootstrap.resharing import write_ceremony_order

    Screen(as_json=as_json).show(write_ceremony_order(read_hub(hub), trust, parties=party, out=out))


def attend(order_file: OrderFile, *, party: PartyOption, as_json: JsonOption = False) -> None:
    """As a custodian's operator: look at a ceremony's order, and let the custodian take part."""
    from havre.bootstrap.resharing import attend as look

    Screen(as_json=as_json).show(look(order_file, party))


def adopt(
    order_file: OrderFile,
    *,
    trust: TrustFile,
    party: PartyOption,
    as_json: JsonOption = False,
) -> None:
    """As a party: take over the trust roots that a ceremony's order names."""
    from havre.bootstrap.resharing import adopt as take

    Screen(as_json=as_json).show(take(order_file, trust, party))


def reshare(
    order_file: Annotated[
        Path | None, typer.Argument(help="The signed order; without it, see --open.")
    ] = None,
    *,
    trust: Annotated[
        Path | None, typer.Option("--trust", help="The trust roots that the order names.")
    ] = None,
    unfinished: Annotated[
        bool, typer.Option("--open", help="Go on with every ceremony that is not at its end.")
    ] = False,
    hub: HubOption,
    as_json: JsonOption = False,
) -> None:
    """Give the shares of every key to other custodians; no data object is touched."""
    from havre.bootstrap import resharing

    screen = Screen(as_json=as_json)
    opened = open_hub(hub)
    reports = resharing.finish(opened) if unfinished else []
    if order_file is not None and trust is not None:
        with screen.progress("giving the shares to others") as bar:
            report = resharing.reshare(
                opened,
                order_file,
                trust,
                progress=lambda done, total: bar.step(done, total, "partitions"),
            )
        reports.append(report)
    screen.table("Ceremonies", [resharing.report_row(each) for each in reports])
    if any(each.ended is None for each in reports):
        screen.say(
            "Too few have destroyed the old shares: ask again with `havre keys reshare --open`."
        )
        raise typer.Exit(code=_STILL_OPEN)
