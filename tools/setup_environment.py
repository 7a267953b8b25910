"""Create an environment from a lock file: `setup_environment.py DIRECTORY [LOCK]`.

Standard library only: this is what runs on a bare machine. Every package is
checked against its hash; the project itself is built with the locked backend.
With a LOCK of its own an environment holds what that names, and not the project:
servers that tests start need nothing of ours, and nothing of ours needs them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

MINIMUM = (3, 11)


def stop(message: str) -> None:
    print(f"setup: {message}", file=sys.stderr)
    raise SystemExit(1)


def run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        stop(
            f"`{Path(words[0]).name} {' '.join(words[1:4])} …` failed:\n{done.stdout}{done.stderr}"
        )


def create(venv: Path) -> None:
    """Make the environment; the ensurepip module is a package of its own on Debian."""
    done = subprocess.run(
        [sys.executable, "-m", "venv", str(venv)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        shutil.rmtree(venv, ignore_errors=True)
        stop(
            "this Python cannot create environments.\n"
            "       On Debian or Ubuntu: sudo apt-get install -y python3-venv\n" + done.stdout
        )


def main() -> None:
    if sys.version_info < MINIMUM:
        stop("Python 3.11 or newer is needed; name one with `make PYTHON=python3.12 …`")
    venv, lock = Path(sys.argv[1]), (sys.argv[2:] or ["requirements.lock"])[0]
    python = str(venv / "bin" / "python")
    print(f"setup: installing the locked packages into {venv} …", flush=True)
    if not Path(python).exists():
        create(venv)
    elif not (venv / "bin" / "pip").exists():
        run(python, "-m", "ensurepip")
    pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    run(*pip, "--require-hashes", "-r", lock)
    if lock == "requirements.lock":
        run(*pip, "--no-deps", "--no-build-isolation", "-e", ".")


if __name__ == "__main__":
    main()
