"""Make sure that bubblewrap is here: foreign code is never run without a sandbox.

Installed through apt where that is possible without asking anybody; otherwise
the exact command is printed and everything stops.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

COMMANDS = (("apt-get", "update", "-qq"), ("apt-get", "install", "-y", "-qq", "bubblewrap"))


def privilege() -> list[str] | None:
    """What to put before a command that needs root, or null when root is not to be had."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if (
        sudo
        and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0
    ):
        return [sudo, "-n"]
    return None


def main() -> int:
    if shutil.which("bwrap"):
        return 0
    before = privilege()
    if before is None or not shutil.which("apt-get"):
        print(
            "setup: bubblewrap is missing, and researchers' code never runs without it.\n"
            "       Install it, then try again: sudo apt-get install -y bubblewrap",
            file=sys.stderr,
        )
        return 1
    print("setup: installing bubblewrap …", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in COMMANDS:
        done = subprocess.run(
            [*before, *words], env=environment, capture_output=True, text=True, check=False
        )
    if not shutil.which("bwrap"):
        print(
            f"setup: apt could not install bubblewrap:\n{done.stdout}{done.stderr}", file=sys.stderr
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
