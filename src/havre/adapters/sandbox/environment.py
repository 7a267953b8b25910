"""The study environment: an interpreter and the locked packages, in one folder anybody may read.

Built from a lock file with hashes, named by the hash of what is in it: the
permit says which one a study may run in. The interpreter is copied, because one
under a private home could not be read by the uid that studies run under.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from havre.errors import NotFound, Unavailable
from havre.values import Digest

_MARK = "environment.sha256"
# Published without a wheel: pure Python, built here with the locked tools, its hash checked.
_AS_SOURCE = ("autograd-gamma",)
_LEFT_OUT = ("__pycache__", "site-packages", "test", "tests", "ensurepip", "idlelib", "tkinter")
_LEFT_OUT_FILES = ("*.pyc", "_tkinter*")


def build_environment(lock: Path, folder: Path) -> Digest:
    """Build the environment of a lock file, if it is not there; returns its name, a SHA-256.

    folder: where it goes; one that holds the same lock's environment stays as it is.

    Raises:
        NotFound: there is no such lock file.
        Unavailable: packages could not be had, or have other hashes than the lock says.
    """
    if not lock.is_file():
        raise NotFound(f"There is no lock file {lock.name}.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as guard:
        # Two processes that want it build it once.
        fcntl.flock(guard, fcntl.LOCK_EX)
        return _built(lock, folder)


def _built(lock: Path, folder: Path) -> Digest:
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    mark = folder / _MARK
    if mark.exists() and mark.read_text().split()[0] == wanted:
        return Digest(mark.read_text().split()[1])
    building = folder.with_name(f"{folder.name}.building")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    _copy_interpreter(building)
    _install(lock, building)
    _compile(building)
    _open_to_all(building)
    digest = digest_of(building)
    (building / _MARK).write_text(f"{wanted} {digest}\n")
    shutil.rmtree(folder, ignore_errors=True)
    building.rename(folder)
    return digest


def check_environment(folder: Path) -> Digest:
    """Hash an environment anew, file by file.

    Raises:
        NotFound: nothing was built there.
    """
    if not (folder / _MARK).exists():
        raise NotFound(
            "There is no study environment here.", hint="Make one with `havre environment build`."
        )
    return digest_of(folder)


def digest_of(folder: Path) -> Digest:
    """Hash the names and contents of a folder's files, in order of name; links by their target."""
    digest = hashlib.sha256()
    for name, is_link in sorted(_names(folder)):
        path = os.path.join(folder, name)  # noqa: PTH118 - thirteen thousand times, before each job
        if is_link:
            content = hashlib.sha256(f"link {os.readlink(path)}".encode()).hexdigest()  # noqa: PTH115
        else:
            with open(path, "rb", buffering=0) as file:  # noqa: PTH123
                content = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(f"{name}\n{content}\n".encode())
    return Digest(digest.hexdigest())


def _names(folder: Path) -> Iterator[tuple[str, bool]]:
    """Every file below a folder by its name from there, and whether it is a link."""
    left = [""]
    while left:
        below = left.pop()
        with os.scandir(folder / below) as entries:
            for entry in entries:
                name = f"{below}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    left.append(f"{name}/")
                elif entry.name != _MARK and not (entry.is_symlink() and entry.is_dir()):
                    yield name, entry.is_symlink()


def _copy_interpreter(folder: Path) -> None:
    (folder / "bin").mkdir()
    (folder / "lib").mkdir()
    binary = Path(os.path.realpath(sys.executable))
    shutil.copy2(binary, folder / "bin" / "python")
    library = Path(sysconfig.get_path("stdlib"))
    shutil.copytree(
        library,
        folder / "lib" / library.name,
        symlinks=False,
        ignore=shutil.ignore_patterns(*_LEFT_OUT, *_LEFT_OUT_FILES),
    )
    shared = sysconfig.get_config_var("INSTSONAME")
    place = sysconfig.get_config_var("LIBDIR")
    if shared and place and ".so" in shared and (Path(place) / shared).exists():
        shutil.copy2(Path(place) / shared, folder / "lib" / shared)


def _install(lock: Path, folder: Path) -> None:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    target = folder / "lib" / version / "site-packages"
    words = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    words += ["--require-hashes", "--no-compile", "--no-deps", "--no-build-isolation"]
    words += ["--only-binary", ":all:", "--no-binary", ",".join(_AS_SOURCE)]
    words += ["--target", str(target), "-r", str(lock)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise Unavailable(
            f"The study environment's packages could not be installed: {reason}",
            hint="The lock file holds their hashes; check the network, then try again.",
        )
    # Commands of packages name the builder's interpreter in their first line.
    shutil.rmtree(target / "bin", ignore_errors=True)
    for record in target.rglob("*.dist-info/RECORD"):
        record.unlink()
    for record in target.rglob("*.dist-info/direct_url.json"):
        record.unlink()


def _compile(folder: Path) -> None:
    """Compile once, so that no study waits for it; by content, so that nothing is written later."""
    words = [str(folder / "bin" / "python"), "-I", "-m", "compileall", "-q", "-j", "2"]
    words += ["--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", "/env"]
    words.append(str(folder / "lib"))
    variables = {
        "LD_LIBRARY_PATH": str(folder / "lib"),
        "PYTHONHASHSEED": "0",
        "PYTHONHOME": str(folder),
    }
    # A package may carry files that are no Python of this version: they stay as they are.
    subprocess.run(words, env=variables, capture_output=True, check=False)


def _open_to_all(folder: Path) -> None:
    for root, folders, names in os.walk(folder):
        for name in folders:
            (Path(root) / name).chmod(0o755)
        for name in names:
            path = Path(root) / name
            if not path.is_symlink():
                path.chmod(0o755 if os.access(path, os.X_OK) else 0o644)
    folder.chmod(0o755)
