"""`havre publish`, `audit`: what everybody may see, and whether it is so."""

from __future__ import annotations

import typer

from havre.cli.options import HubOption, JsonOption, open_hub, read_hub
from havre.cli.screen import Screen


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(publish)
    app.command()(audit)


def publish(*, hub: HubOption, as_json: JsonOption = False) -> None:
    """Write the public site: register of permits, jobs and releases, the log, how to verify."""
    opened = open_hub(hub)
    written = opened.publication.publish()
    Screen(as_json=as_json).show(
        {"files": len(written), "open": str(opened.place.site / "index.html")}
    )


def audit(*, hub: HubOption, as_json: JsonOption = False) -> None:
    """Compare every custodian's own counter with the log, and decisions that came to them directly.

    An answer without a request, a counter that was set back, a decision that the hub
    keeps off the log: each is an alarm that names whom.
    """
    from havre.bootstrap.auditing import audit_counters, audit_result, ending_of_audit

    report = audit_counters(read_hub(hub))
    Screen(as_json=as_json).show(audit_result(report))
    if (fault := ending_of_audit(report)) is not None:
        raise typer.Exit(code=fault.exit_code)
