"""Make sure that a Debian package is here: bubblewrap for studies, others for the tests.

Installed through apt where that is possible without asking anybody; otherwise
the exact command is printed and everything stops.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

# Package: the program it brings, and why nothing goes on without it.
WANTED = {
    "bubblewrap": ("bwrap", "researchers' code never runs without it"),
    "chromium": ("chromium", "the public pages are looked at in it"),
    "softhsm2": ("softhsm2-util", "hardware tokens are tried on it"),
}


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
    package = sys.argv[1]
    program, reason = WANTED[package]
    if shutil.which(program):
        return 0
    before = privilege()
    if before is None or not shutil.which("apt-get"):
        print(
            f"setup: {package} is missing, and {reason}.\n"
            f"       Install it, then try again: sudo apt-get install -y {package}",
            file=sys.stderr,
        )
        return 1
    print(f"setup: installing {package} …", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (("update", "-qq"), ("install", "-y", "-qq", package)):
        done = subprocess.run(
            [*before, "apt-get", *words],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    if not shutil.which(program):
        said = done.stdout + done.stderr
        print(f"setup: apt could not install {package}:\n{said}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
