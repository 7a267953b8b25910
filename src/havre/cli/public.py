"""`havre publish`, `audit`: what everybody may see, and whether it is so."""

from __future__ import annotations

import typer

from havre.cli.options import HubOption, JsonOption, open_hub
from havre.cli.screen import Screen


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(publish)


def publish(*, hub: HubOption, as_json: JsonOption = False) -> None:
    """Write the public site: register of permits, jobs and releases, the log, how to verify."""
    opened = open_hub(hub)
    written = opened.publication.publish()
    Screen(as_json=as_json).show(
        {"files": len(written), "open": str(opened.place.site / "index.html")}
    )
