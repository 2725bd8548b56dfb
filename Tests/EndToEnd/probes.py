# SPDX-License-Identifier: Apache-2.0
"""Probes: attacks that a build makes on the machine, on the service and on other builds. Each is named, is part of a
real project, and is built twice: by a service without a sandbox, where it must reach what it wants (else it proves
nothing), and by one with a sandbox, where it must not. The programs are in the folder `probes`; pytest prints how many
there were.

With CUPEL_THOROUGH=1 each is a project of its own, and each runs from a procedural macro, too."""
import contextlib
import gzip
import os
import pathlib
import re
import secrets
import socket
import threading

import pytest

from conftest import project

PROGRAMS = pathlib.Path(__file__).parent / "probes"
IS_ROOT = os.geteuid() == 0
# Of this run alone: whatever has it in its name is a probe's.
MARKER = f"cupel-probe-{secrets.token_hex(4)}"
# What bites on some machines only: it needs a part of the kernel that may be missing, or a right that root may lack.
NOT_EVERYWHERE = {
    "x32", "iopl", "int-0x80", "vsock", "tcp-other-address", "tcp-ipv6", "netlink-audit", "netlink-packet-filter",
    "netlink-xfrm", "type-into-a-terminal", "read-block-device", "write-sysfs", "userfaultfd", "add-key",
    "users-keyring",
    "never-killed-for-memory", "process-accounting", "io-uring", "perf-event-open", "modify-ldt", "kernel-log-device",
    "raise-open-files", "root-of-process-1", "core-dump", "kernel-log", "kcmp", "make-cgroup", "netlink-sockets",
}

results = {}


def record(name, *, bites=None, contained=None):
    """Keeps what is known of a probe, for the table."""
    entry = results.setdefault(name, {"bites": None, "contained": None})
    for key, value in (("bites", bites), ("contained", contained)):
        if value is not None:
            entry[key] = value and entry[key] is not False


def summary():
    """The lines that end a run of tests."""
    if not results:
        return []
    contained = sum(bool(r["contained"]) for r in results.values())
    biting = sum(bool(r["bites"]) for r in results.values())
    lines = [f"{contained} of {len(results)} contained, {biting} bite without a sandbox"]
    for name, result in sorted(results.items()):
        if not result["bites"] or not result["contained"]:
            lines.append(f"  {name}: " + ", ".join(
                words for key, words in (("bites", "not shown to bite on this machine"), ("contained", "NOT CONTAINED"))
                if not result[key]))
    return lines


def names(group):
    """The names of a group's probes, in the order in which they run."""
    return re.findall(r'^    \{"([a-z0-9-]+)", \w+\},$', (PROGRAMS / f"{group}.c").read_text(), re.M)


def reached(answer):
    return answer.startswith("REACHED")


def judge(name, without, within):
    """`without` and `within` are what the probe answered without and within a sandbox."""
    contained = not reached(within)
    record(name, bites=reached(without), contained=contained)
    assert contained, f"{name} within the sandbox: {within}"
    if not reached(without):
        assert name in NOT_EVERYWHERE or not IS_ROOT, f"{name} proves nothing, without a sandbox: {without}"
        pytest.skip(f"contained, but does not bite on this machine: {without}")


def probe_project(group, targets, *, vehicle="script", only=()):
    """A project that runs a group's probes while it is built."""
    files = {f"probes/{name}": (PROGRAMS / name).read_text() for name in ("probe.h", "main.c", f"{group}.c")}
    files |= {"probes/marker": targets["marker"], "probes/group": group, "probes/only": "\n".join(only),
              "probes/targets": "".join(f"{key}={value}\n" for key, value in targets.items())}
    if vehicle == "script":
        return project({"build.rs": (PROGRAMS / "build.rs").read_text(), **files})
    return macro_project((PROGRAMS / "macro.rs").read_text(), "run", files)


def macro_project(source, name, files=None):
    """A project whose compiler runs a procedural macro."""
    lock = "".join(f'\n[[package]]\nname = "{n}"\nversion = "0.1.0"\n{d}'
                   for n, d in (("pm", ""), ("probe", 'dependencies = ["pm"]\n')))
    made = project({"src/main.rs": f'pm::{name}!(); fn main() {{ println!("hello"); }}\n',
                    "Cargo.lock": "version = 3\n" + lock,
                    "pm/src/lib.rs": source,
                    "pm/Cargo.toml": '[package]\nname = "pm"\nversion = "0.1.0"\nedition = "2021"\n[lib]\n'
                                     "proc-macro = true\n", **(files or {})})
    made["Cargo.toml"] += '[dependencies]\npm = { path = "pm" }\n'
    return made


def answers_of(log):
    return dict(re.findall(r"probe: ([a-z0-9-]+): (.*)", log))


def holds(folder, text):
    """Whether a file below `folder` holds the text, in itself or as part of a tarball."""
    for path in folder.rglob("*"):
        if path.is_symlink() or not path.is_file():
            continue
        body = path.read_bytes()
        if body.startswith(b"\x1f\x8b"):
            body += gzip.decompress(body)
        if text.encode() in body:
            return True
    return False


class Outside:
    """What builds must not reach: it listens wherever a machine can be spoken to, answers, and counts who came."""

    def __init__(self, folder):
        self.folder, self.heard, self.sockets = folder, [], []
        self.abstract, self.path = f"outside-{MARKER}", str(folder / "socket")
        self.address = self.other_address()
        tcp = self.listen(socket.AF_INET, ("0.0.0.0", 0))
        self.targets = {
            "tcp": tcp.getsockname()[1], "udp": self.listen_for_datagrams(), "abstract": self.abstract,
            "socket": self.path, "address": self.address or "none",
            "tcp6": self.listen6(), "open": self.free_port(),
        }
        self.listen(socket.AF_UNIX, "\0" + self.abstract)
        self.listen(socket.AF_UNIX, self.path)
        os.chmod(self.path, 0o777)

    @staticmethod
    def other_address():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(("192.0.2.1", 9))
                return probe.getsockname()[0]
            except OSError:
                return None

    @staticmethod
    def free_port():
        with socket.create_server(("127.0.0.1", 0)) as taken:
            return taken.getsockname()[1]

    def listen6(self):
        try:
            return self.listen(socket.AF_INET6, ("::1", 0)).getsockname()[1]
        except OSError:
            return 0

    def listen(self, family, place):
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.bind(place)
        listener.listen(16)
        self.sockets.append(listener)
        threading.Thread(target=self.answer, args=(listener,), daemon=True).start()
        return listener

    def answer(self, listener):
        with contextlib.suppress(OSError):
            while True:
                caller, _ = listener.accept()
                with caller, contextlib.suppress(OSError):
                    caller.settimeout(5)
                    self.heard.append(caller.recv(64))
                    caller.sendall(b"yes\n")
                    caller.recv(64)

    def listen_for_datagrams(self):
        receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        receiver.bind(("127.0.0.1", 0))
        self.sockets.append(receiver)

        def answer():
            with contextlib.suppress(OSError):
                while True:
                    question, sender = receiver.recvfrom(512)
                    self.heard.append(question)
                    receiver.sendto(b"yes\n", sender)

        threading.Thread(target=answer, daemon=True).start()
        return receiver.getsockname()[1]

    @contextlib.contextmanager
    def knocking(self):
        """Tries all the while to connect to what a build may open."""
        done = threading.Event()

        def knock():
            while not done.wait(0.05):
                with contextlib.suppress(OSError):
                    socket.create_connection(("127.0.0.1", self.targets["open"]), timeout=1).close()

        thread = threading.Thread(target=knock, daemon=True)
        thread.start()
        yield
        done.set()
        thread.join()

    def close(self):
        for one in self.sockets:
            one.close()
