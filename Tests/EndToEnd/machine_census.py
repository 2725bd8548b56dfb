# SPDX-License-Identifier: Apache-2.0
"""What there is of a server's machines: processes, ports, descriptors, files and memory, counted from outside."""
import collections
import dataclasses
import os
import pathlib
import time

PROGRAMS = ("qemu-system", "swtpm")


def command_of(process):
    """The command line of a process, as a list; empty where it is gone."""
    try:
        return [part.decode(errors="replace") for part in (process / "cmdline").read_bytes().split(b"\0")[:-1]]
    except OSError:
        return []


def processes():
    return [path for path in pathlib.Path("/proc").glob("[0-9]*") if path.name.isdigit()]


def parent_of(process):
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def family(process):
    """A process and all that it started, by number."""
    children = {}
    for path in processes():
        children.setdefault(parent_of(path), []).append(int(path.name))
    found, rest = [], [process]
    while rest:
        found.append(rest.pop())
        rest += children.get(found[-1], [])
    return found


def place_of(process):
    """The folder in which a process works."""
    try:
        return os.readlink(process / "cwd")
    except OSError:
        return ""


def of_machines(data, program=PROGRAMS):
    """Processes that serve machines of a data folder, by number: those that work in it, or name it, and run one of
    these programs."""
    found = []
    for path in processes():
        command = command_of(path)
        if command and os.path.basename(command[0]).startswith(program):
            if any(str(data) in part for part in [*command, place_of(path)]):
                found.append(int(path.name))
    return sorted(found)


def machines(data):
    """The QEMU processes of a data folder, the oldest first."""
    return sorted(of_machines(data, "qemu-system"), key=beginning_of)


def beginning_of(number):
    """When a process began, in ticks since the system's start."""
    try:
        return int(pathlib.Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[19])
    except OSError:
        return 0


def ports_of(numbers):
    """TCP ports of this machine on which these processes listen."""
    sockets = set()
    for number in numbers:
        for link in pathlib.Path(f"/proc/{number}/fd").glob("*"):
            try:
                target = os.readlink(link)
            except OSError:
                continue
            if target.startswith("socket:["):
                sockets.add(target[8:-1])
    ports = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in pathlib.Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in sockets:
                ports.add(int(fields[1].rpartition(":")[2], 16))
    return ports


def descriptors_of(number):
    """What a process has open: kinds and paths, sorted."""
    found = []
    for link in pathlib.Path(f"/proc/{number}/fd").iterdir():
        try:
            found.append(os.readlink(link).split(":[")[0])
        except OSError:
            continue
    return sorted(found)


def memory_of(number, field="Pss"):
    """Bytes of memory that are a process's alone, and its part of what it shares."""
    for line in pathlib.Path(f"/proc/{number}/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) << 10
    return 0


def below(folder):
    """Paths of all that is below a folder, which may change meanwhile."""
    return [os.path.join(top, name) for top, folders, names in os.walk(folder) for name in folders + names]


def disk_of(folder):
    """Bytes that the files below a folder take of the disk."""
    total = 0
    for path in below(folder):
        try:
            total += os.lstat(path).st_blocks * 512
        except OSError:
            continue
    return total


@dataclasses.dataclass
class Census:
    """What one server has at one moment. Jobs and their records are to be kept, and are left out."""
    processes: list
    machines: int
    ports: set
    descriptors: list
    memory: int
    files: set
    temporary: set

    @classmethod
    def take(cls, server):
        # The server's own helpers come and go; what has the data folder in its name may also have lost its parent.
        numbers = set(family(server.process.pid)) | set(of_machines(server.data))
        kept = ("jobs", "cupel.sqlite", "damaged")
        files = {os.path.relpath(path, server.data) for path in below(server.data)}
        return cls(
            processes=sorted(os.path.basename((command_of(pathlib.Path(f"/proc/{number}")) or ["?"])[0])
                             for number in numbers),
            machines=len(machines(server.data)), ports=ports_of(numbers),
            # Logs of jobs that readers may ask for, and connections to the database, are opened as readers come.
            descriptors=[name for name in descriptors_of(server.process.pid)
                         if "/jobs/" not in name and "/cupel.sqlite" not in name],
            # Without the program, of which a process has more when another ends.
            memory=memory_of(server.process.pid, "Pss_Anon"),
            files={path for path in files if not path.startswith(kept)},
            temporary={str(path) for path in server.temporary.iterdir()})


def settled(server, count=0, seconds=90):
    """A census once a server has so many machines, and no fewer or more processes than a moment before."""
    end, last = time.monotonic() + seconds, None
    while time.monotonic() < end:
        now = Census.take(server)
        if now.machines == count and last and (now.processes, now.descriptors) == (last.processes, last.descriptors):
            return now
        last = now
        time.sleep(0.5)
    raise AssertionError(f"after {seconds} s there are not {count} machines at rest: {last}")


def assert_no_more(before, after, megabytes=16):
    """Nothing has come to stay; memory may grow by what an allocator keeps."""
    assert after.processes == before.processes
    assert after.machines == before.machines and after.ports == before.ports
    more = collections.Counter(after.descriptors) - collections.Counter(before.descriptors)
    assert not more, more
    assert not after.files - before.files, after.files - before.files
    assert not after.temporary - before.temporary, after.temporary - before.temporary
    assert after.memory - before.memory < megabytes << 20, (before.memory, after.memory)
