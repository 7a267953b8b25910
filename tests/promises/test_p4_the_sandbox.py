"""P4: a researcher's code has no network, no key, no way out but the files it leaves.

Each attempt is a program that runs in the real sandbox and tries; it says `OUT`
on success. A control shows that the same attempt succeeds without walls, where
that can be shown.
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from fakes.sandboxed import run
from fakes.small_hub import ENVIRONMENT
from havre.adapters.sandbox import bubblewrap
from havre.adapters.sandbox.bubblewrap import BubblewrapSandbox
from havre.errors import InvalidInput, Unprotected
from havre.ports.sandbox import Outcome, SandboxJob, SandboxLimits

SYSCALL = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def call(*words):
    ctypes.set_errno(0)
    done = libc.syscall(*words)
    return done, ctypes.get_errno()
"""


# A filter that lets every system call pass.
ALL_PASS = struct.pack("<HBBI", 0x06, 0, 0, 0x7FFF0000)


def attempt(code: str) -> str:
    """Run an attempt: what it said, with the name of whatever stopped it."""
    body = "\n".join(f"    {line}" for line in code.strip().splitlines())
    result = run(
        f"import os\ntry:\n{body}\nexcept Exception as stopped:\n    print(type(stopped).__name__)\n"
    )
    return result.words.decode()


@pytest.fixture
def listener() -> Iterator[int]:
    """A server of this machine that would take a connection."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        yield port


@pytest.fixture
def machine_socket() -> Iterator[str]:
    """A server of this machine under an abstract name, which only a network namespace hides."""
    name = f"havre-probe-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"\0{name}")
        server.listen()
        yield name


ATTEMPTS = {
    "a TCP socket": "import socket; socket.socket(); print('OUT')",
    "a UDP socket": "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM); print('OUT')",
    "an IPv6 socket": "import socket; socket.socket(socket.AF_INET6); print('OUT')",
    "a netlink socket": "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW); print('OUT')",
    "a vsock": "import socket; socket.socket(40); print('OUT')",
    "a name server": "import socket; socket.getaddrinfo('example.org', 80); print('OUT')",
    "the shadow file": "open('/etc/shadow').read(); print('OUT')",
    "a file that everybody may read": "open('/etc/passwd').read(); print('OUT')",
    "root's home": "os.listdir('/root'); print('OUT')",
    "other homes": "os.listdir('/home'); print('OUT')",
    "the hub's directory": f"os.listdir({str(Path(__file__).parents[2])!r}); print('OUT')",
    "the parent's variables": (
        "print('OUT' if b'HAVRE_CANARY' in open('/proc/1/environ', 'rb').read() else 'none')"
    ),
    "its own variables": "print('OUT' if 'HAVRE_CANARY' in os.environ else 'none')",
    "another process": "print('OUT' if [p for p in os.listdir('/proc') if p.isdigit() and int(p) > 9] else 'none')",
    "writing an input": "open('/in/t.parquet', 'w'); print('OUT')",
    "writing its code": "open('/code/study.py', 'a'); print('OUT')",
    "writing the environment": "open('/env/x', 'w'); print('OUT')",
    "writing the system": "open('/usr/x', 'w'); print('OUT')",
    "a new file among its inputs": "open('/in/x', 'w'); print('OUT')",
    "another file in an input's place": (
        "os.unlink('/in/t.parquet'); open('/in/t.parquet', 'w'); print('OUT')"
    ),
    "a new file beside its code": "open('/code/x', 'w'); print('OUT')",
    "writing the supervisor": "os.unlink('/supervisor/supervisor.py'); print('OUT')",
    "a new file at the top": "open('/x', 'w'); print('OUT')",
    "a new file in the settings": "open('/etc/x', 'w'); print('OUT')",
    "a device": "open('/dev/mem', 'rb'); print('OUT')",
    "making a device": "os.mknod('/tmp/m', 0o20600, os.makedev(1, 1)); print('OUT')",
    "another user": "os.setuid(0); print('OUT')",
    "a hard link out of the inputs": "os.link('/in/t.parquet', '/out/t.parquet'); print('OUT')",
    "more rights": "os.chroot('/tmp'); print('OUT')",
    "memory of a file that has no name": "os.memfd_create('m'); print('OUT')",
    "memory that is shared and no file's": "import mmap; mmap.mmap(-1, 4096); print('OUT')",
    "shared zeros": ("import mmap; mmap.mmap(os.open('/dev/zero', os.O_RDWR), 4096); print('OUT')"),
    "the hub's end of the way to the supervisor": (
        "import socket; socket.socket(fileno=0).send(b'x'); print('OUT')"
    ),
}


@pytest.mark.parametrize("what", ATTEMPTS)
def test_what_a_study_must_not_reach(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAVRE_CANARY", "secret of the hub")

    said = attempt(ATTEMPTS[what])

    assert said.strip()
    assert "OUT" not in said


CONNECT = """
import socket
server = socket.socket({family})
server.settimeout(3)
server.connect({address!r})
print('OUT')
"""


def test_a_server_of_the_machine_without_an_address_is_not_reached(machine_socket: str) -> None:
    """An abstract name is no file, and a local socket passes the filter: the namespace hides it."""
    code = CONNECT.format(family="socket.AF_UNIX", address=f"\0{machine_socket}")
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(f"\0{machine_socket}")

    assert attempt(code).split() == ["ConnectionRefusedError"]


def test_a_server_of_the_machine_is_not_reached_without_the_filter_either(
    monkeypatch: pytest.MonkeyPatch, listener: int
) -> None:
    """Two walls stand before the network; this is the one that is left when the filter is gone."""
    monkeypatch.setattr(bubblewrap, "built_filter", lambda: ALL_PASS)
    code = CONNECT.format(family="socket.AF_INET", address=("127.0.0.1", listener))
    with socket.create_connection(("127.0.0.1", listener), 3):
        pass

    assert attempt(code).split() == ["ConnectionRefusedError"]


def test_a_study_shares_no_namespace_with_the_machine() -> None:
    names = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")
    code = f"import os\nfor name in {names}: print(os.readlink('/proc/self/ns/' + name))"

    theirs = run(code).words.decode().split()

    assert len(theirs) == len(names)
    assert not {str(Path(f"/proc/self/ns/{name}").readlink()) for name in names} & set(theirs)


def test_a_study_sees_these_folders_and_no_other() -> None:
    said = run("import os\nfor at in ('/', '/etc', '/in'): print(*sorted(os.listdir(at)))")

    top, settings, inputs = said.words.decode().splitlines()
    ours = "bin code dev env etc in lib lib64 out proc supervisor tmp usr"
    assert top.split() == ours.split()
    assert set(settings.split()) <= {"fonts", "ld.so.cache"}
    assert inputs.split() == ["t.parquet"]


# Of the study and of the supervisor, which has the same rights: `3` is the look itself.
DESCRIPTORS = """
import os
for process in ('1', 'self'):
    for number in os.listdir(f'/proc/{process}/fd'):
        try:
            print(process, number, os.readlink(f'/proc/{process}/fd/{number}').split(':')[0])
        except FileNotFoundError:
            pass
"""


def test_a_study_holds_no_descriptor_but_its_three(tmp_path: Path) -> None:
    """Neither one that the hub has open, nor one that its supervisor would have kept."""
    (tmp_path / "keys").write_bytes(b"secret of the hub")
    with (tmp_path / "keys").open("rb") as held:
        os.set_inheritable(held.fileno(), True)
        said = run(DESCRIPTORS).words.decode().splitlines()

    assert sorted(said) == [
        f"{process} {number} {what}"
        for process in ("1", "self")
        for number, what in enumerate(("/dev/null", "pipe", "pipe"))
    ]


VARIABLES = "import os; print(*sorted(os.environ))"


def test_a_study_has_these_variables_and_no_other() -> None:
    said = run(VARIABLES).words.decode().split()

    assert set(said) == {*bubblewrap._VARIABLES, "PWD"}


@pytest.mark.parametrize("gone", ["the hub's own emptying", "the sandbox's emptying"])
def test_either_of_two_emptyings_keeps_the_hubs_variables_away(
    gone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub starts the sandbox with no variable, and the sandbox starts the study with none."""
    monkeypatch.setenv("HAVRE_CANARY", "secret of the hub")
    walls, popen = bubblewrap._walls, subprocess.Popen

    def with_ours(command: list[str], **given: Any) -> subprocess.Popen[bytes]:
        return popen(command, **{**given, "env": None})

    if gone == "the hub's own emptying":
        monkeypatch.setattr(subprocess, "Popen", with_ours)
    else:
        monkeypatch.setattr(
            bubblewrap, "_walls", lambda: [word for word in walls() if word != "--clearenv"]
        )

    assert "HAVRE_CANARY" not in run(VARIABLES).words.decode().split()


CALLS = {
    "ptrace": "call(101, 0, 0, 0, 0)",
    "process_vm_readv": "call(310, os.getppid(), 0, 0, 0, 0, 0)",
    "mount": "call(165, b'none', b'/tmp', b'tmpfs', 0, 0)",
    "unshare": "call(272, 0x10000000)",
    "setns": "call(308, 0, 0)",
    "keyctl": "call(250, 0, 0, 0)",
    "bpf": "call(321, 0, 0, 0)",
    "perf_event_open": "call(298, 0, 0, 0, 0, 0)",
    "io_uring_setup": "call(425, 1, 0)",
    "userfaultfd": "call(323, 0)",
    "kexec_load": "call(246, 0, 0, 0, 0)",
    "open_by_handle_at": "call(304, 0, 0, 0)",
    "clone with a new user namespace": "call(56, 0x10000000 | 17, 0, 0, 0, 0)",
    "pushing keys into a terminal": "call(16, 0, 0x5412, b'x')",
    "shmget": "call(29, 0, 4096, 0o1600)",
    "semget": "call(64, 0, 1, 0o1600)",
    "msgget": "call(68, 0, 0o1600)",
    "mq_open": "call(240, b'q', 0o102, 0o600, 0)",
    "memfd_create": "call(319, b'm', 0)",
    "memfd_secret": "call(447, 0)",
    "vmsplice": "call(278, 1, 0, 0, 0)",
    "mmap, shared and no file's": "call(9, 0, 4096, 3, 0x21, -1, 0)",
    "mmap, shared, validated and no file's": "call(9, 0, 4096, 3, 0x23, -1, 0)",
}


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="numbers of x86_64")
def test_system_calls_that_are_no_business_of_a_study_are_refused() -> None:
    lines = "\n".join(f"print({name!r}, *{words})" for name, words in CALLS.items())

    said = run(SYSCALL + lines).words.decode().strip().splitlines()

    answers = {line.rsplit(" ", 2)[0]: line.rsplit(" ", 2)[1:] for line in said}
    assert answers.keys() == CALLS.keys()
    assert set(map(tuple, answers.values())) == {("-1", "1")}


def test_the_walls_are_what_stops_it(monkeypatch: pytest.MonkeyPatch, listener: int) -> None:
    """The promise broken on purpose: without the network wall and the filter the study gets out."""
    code = f"import socket; socket.create_connection(('127.0.0.1', {listener}), 3); print('OUT')"
    assert "OUT" not in attempt(code)
    walls = bubblewrap._walls

    monkeypatch.setattr(
        bubblewrap,
        "_walls",
        lambda: ["--share-net" if w == "--new-session" else w for w in walls()],
    )
    monkeypatch.setattr(bubblewrap, "built_filter", lambda: ALL_PASS)

    assert "OUT" in attempt(code)


def test_a_link_in_the_outputs_spoils_them_all() -> None:
    result = run(
        "import os\nopen('/out/a.csv','w').write('x')\nos.symlink('/etc/passwd','/out/b.csv')"
    )

    assert (result.outcome, result.outputs) == (Outcome.STRANGE_OUTPUT, ())


@pytest.mark.parametrize(
    "leave",
    [
        "os.mkdir('/out/sub')",
        "os.mkfifo('/out/pipe')",
        "open('/out/.hidden', 'w')",
        "open('/out/a b', 'w')",
    ],
)
def test_only_plain_files_with_plain_names_come_out(leave: str) -> None:
    assert run(f"import os\n{leave}").outcome is Outcome.STRANGE_OUTPUT


def test_too_many_or_too_large_outputs_do_not_come_out() -> None:
    many = run("for n in range(60): open(f'/out/f{n}', 'w')")
    large = run("open('/out/a', 'wb', 0).write(bytes(3000)) == 3000 or 1 / 0", outputs_bytes=2_000)

    assert many.outcome is Outcome.TOO_MUCH_OUTPUT
    assert large.outcome in (Outcome.FAILED, Outcome.TOO_MUCH_OUTPUT)
    assert many.outputs == large.outputs == ()


def test_a_study_cannot_wait_for_ever() -> None:
    started = time.monotonic()

    result = run("open('/out/a', 'w').write('x')\nwhile True: pass", wall_s=2.0)

    assert (result.outcome, result.outputs) == (Outcome.TIMED_OUT, ())
    assert time.monotonic() - started < 20


def test_a_fork_bomb_stops_at_its_limit() -> None:
    code = """
import os
made = 0
try:
    for _ in range(300):
        if os.fork() == 0:
            import time; time.sleep(30)
        made += 1
except OSError:
    print("stopped", made < 70)
"""
    assert "stopped True" in run(code, processes=64).words.decode()


def is_running(mark: str) -> bool:
    """Tell whether a process of this machine, in a sandbox or not, has this word in its command."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            # A `bwrap` is outside; it is the study itself that is looked for.
            command = (process / "cmdline").read_bytes().split(b"\0")
            if command[0] == b"/env/bin/python" and mark.encode() in command:
                return True
    return False


def test_nothing_of_a_study_is_left_running() -> None:
    mark = f"study-{os.getpid()}-{time.monotonic_ns()}"
    code = (
        "import os, time\ntime.sleep(1)\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(987)"
    )
    study = threading.Thread(target=run, args=(code, mark), daemon=True)

    study.start()
    was_seen = False
    while study.is_alive() and not was_seen:
        was_seen = is_running(mark)
    study.join(timeout=30)

    assert was_seen
    assert not study.is_alive()
    assert not is_running(mark)


def test_a_study_that_outlives_its_end_changes_nothing() -> None:
    """What it leaves in the background is ended before the files are read.

    It waits until the supervisor has read the first file, which is a long one.
    """
    code = """
import os, time
open('/out/a', 'wb').write(bytes(40_000_000))
open('/out/z', 'w').write('first')
time.sleep(0.1)
if os.fork() == 0:
    os.setsid()
    before = os.stat('/out/a').st_atime_ns
    while os.stat('/out/a').st_atime_ns == before: pass
    open('/out/z', 'w').write('later')
"""
    result = run(code)

    assert result.outcome is Outcome.FINISHED
    assert [(each.name, each.body[:9]) for each in result.outputs] == [
        ("a", bytes(9)),
        ("z", b"first"),
    ]


def test_a_study_that_forges_its_own_frames_gets_no_strange_file_out() -> None:
    code = """
import os, json
fd = os.open('/proc/1/fd/1', os.O_WRONLY)
os.write(fd, b'{"name": "../../etc/cron.d/x", "size": 1}\\nx')
"""
    result = run(code)

    assert not [each for each in result.outputs if "/" in each.name]


def test_inputs_larger_than_their_memory_are_refused() -> None:
    job = SandboxJob(
        code={"study.py": b"pass"},
        command=("/env/bin/python", "/code/study.py"),
        environment=str(ENVIRONMENT),
        inputs={"t.parquet": (bytes(1_000_000) for _ in range(40))},
        limits=SandboxLimits(inputs_bytes=1_000_000),
    )
    with pytest.raises(InvalidInput):
        BubblewrapSandbox().run(job)


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".x", "a b"])
def test_a_name_that_could_lead_elsewhere_is_refused(name: str) -> None:
    job = SandboxJob(
        code={}, command=("/env/bin/python",), environment=str(ENVIRONMENT), inputs={name: [b""]}
    )
    with pytest.raises(InvalidInput):
        BubblewrapSandbox().run(job)


def test_without_bubblewrap_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "BWRAP", "/nonexistent/bwrap")

    with pytest.raises(Unprotected, match="bubblewrap"):
        run("open('/out/a', 'w')")


def test_the_same_study_leaves_the_same_bytes() -> None:
    code = "open('/out/a', 'w').write(repr({str(n) for n in range(50)}))"

    assert run(code).outputs == run(code).outputs


def test_the_sandbox_works_for_an_ordinary_user_too(tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("the other tests have run as an ordinary user already")
    script = tmp_path / "probe.py"
    source = Path(__file__).parents[2] / "src"
    script.write_text(
        "from havre.adapters.sandbox.bubblewrap import BubblewrapSandbox\n"
        "BubblewrapSandbox().probe()\nprint('made')\n"
    )
    tmp_path.chmod(0o755)
    if not os.access(sys.executable, os.X_OK) or "/root/" in os.path.realpath(sys.executable):
        # The interpreter is private to root: only the walls themselves can be tried.
        words = [*bubblewrap._walls(), "--", "/usr/bin/true"]
        done = subprocess.run(
            words,
            env={},
            capture_output=True,
            check=False,
            user=61_235,
            group=61_235,
            extra_groups=[],
        )
        assert done.returncode == 0
        return
    done = subprocess.run(
        [sys.executable, str(script)],
        env={"PYTHONPATH": str(source)},
        capture_output=True,
        check=False,
        user=61_235,
        group=61_235,
        extra_groups=[],
    )
    assert done.stdout.strip() == b"made"
