# SPDX-License-Identifier: Apache-2.0
"""The two services that build the probes, one with a sandbox and one without, and the things around them that must stay
as they are."""
import contextlib
import functools
import os
import pathlib
import secrets
import shutil
import subprocess
import tempfile
import time

from conftest import THOROUGH, Server, log_of, project, tarball
from probes import IS_ROOT, MARKER, Outside, answers_of, names, probe_project
from wire import descriptors, settled_descriptors

# A build that is under way while the probes run, with something in its source that is nobody else's.
OTHER = """
fn main() {
    while !std::path::Path::new("stop").exists() { std::thread::sleep(std::time::Duration::from_millis(50)); }
}
"""


class Site:
    """A service, and the processes and files of its machine that are within reach where there is no sandbox."""

    def __init__(self, folder, outside, *options, is_confined):
        self.folder, self.outside, self.is_confined = folder, outside, is_confined
        self.marker = f"{MARKER}-{'in' if is_confined else 'out'}"
        self.secret, self.secret_of_other = secrets.token_hex(8), secrets.token_hex(8)
        self.secret_of_environment = secrets.token_hex(8)
        self.secret_line = str(secrets.randbelow(10**12))
        self.home = folder / "home"
        self.home.mkdir()
        self.home.chmod(0o777)
        (folder / "file").write_text(self.secret)
        self.server = Server(folder / "data", "--concurrency", "2", *options,
                             environment={"PROBE_SECRET": self.secret_of_environment})
        if not is_confined and IS_ROOT:
            # What a probe mounts, names or leaves in shared memory ends with this service.
            self.server.prefix = ("unshare", "--mount", "--ipc", "--uts", "--propagation", "private", "--")
        self.server.start()
        # The first build opens what stays open.
        self.server.build(tarball(project({}), top="probe"))
        sleep = shutil.copy(shutil.which("sleep"), folder / "runner")
        self.processes = {
            name: subprocess.Popen([program, "3600", "0" + self.secret_line], stdout=subprocess.DEVNULL)
            for name, program in (("victim", "sleep"), ("prey", "sleep"), ("runner", sleep))}
        self.terminal, self.others_end = os.openpty()

    def close(self):
        for process in self.processes.values():
            process.kill()
            process.wait()
        os.close(self.terminal)
        os.close(self.others_end)
        self.server.terminate()

    def targets(self):
        return {
            "marker": self.marker, "file": self.folder / "file", "secret": self.secret,
            "secret-of-other": self.secret_of_other, "secret-of-environment": self.secret_of_environment,
            "secret-of-command-line": self.secret_line,
            "home": self.home, "data": self.server.data, "server": self.server.process.pid, "port": self.server.port,
            "terminal": os.ttyname(self.others_end), **{name: p.pid for name, p in self.processes.items()},
            **self.outside.targets,
        }

    def build(self, files, beside=contextlib.nullcontext):
        """Builds, and checks that the machine is as it was where the build was confined."""
        before = descriptors(self.server.process)
        with beside():
            job, events, outcome = self.server.build(tarball(files, top="probe"))
        if self.is_confined:
            self.assert_untouched(before)
        return job, events, outcome

    @contextlib.contextmanager
    def other_build(self):
        """Somebody else's build, which is under way meanwhile."""
        job = self.server.submit(tarball(project({"build.rs": OTHER, "secret": self.secret_of_other}), top="other"))
        source = self.server.data / "workspaces" / job / "source"
        deadline = time.monotonic() + 60
        while not any(source.rglob("secret")) and not self.is_over(job):
            assert time.monotonic() < deadline, "the other build does not begin"
            time.sleep(0.01)
        try:
            yield
        finally:
            # It was moved since, where the archive has one top folder.
            for place in source.rglob("secret"):
                (place.parent / "stop").touch()
            events = self.server.events(job)
            assert events[-1]["result"] == {"status": "ok"}, events

    def is_over(self, job):
        return b'"complete"' in (self.server.data / "jobs" / job / "events.sse").read_bytes()

    @functools.cache
    def answers(self, group, vehicle="script", **more):
        """What the probes of a group say, by their names."""
        found = {}
        beside = {"reach": self.other_build, "network": self.outside.knocking}.get(group, contextlib.nullcontext)
        for only in ([(name,) for name in names(group)] if THOROUGH else [()]):
            files = probe_project(group, {**self.targets(), **more}, vehicle=vehicle, only=only)
            _, events, outcome = self.build(files, beside)
            assert outcome == {"status": "ok"}, (outcome, log_of(events)[-2000:])
            found |= answers_of(log_of(events))
        assert list(found) == names(group), found
        return found

    def assert_untouched(self, before):
        """Nothing of a confined build is left: no process, file, socket, mount or open file."""
        assert not left_behind(self), left_behind(self)
        assert self.server.process.poll() is None and self.server.call("GET", "/health")[0] == 200
        assert all(process.poll() is None for process in self.processes.values())
        assert (self.folder / "file").read_text() == self.secret and not list(self.home.iterdir())
        left = settled_descriptors(self.server.process, before + 2, patience=30)
        assert left <= before + 2, f"the server had {before} files open, and has {left}"


def left_behind(site):
    """Whatever on this machine has the site's marker in its name."""
    def lines(path):
        try:
            return [line for line in pathlib.Path(path).read_text(errors="replace").splitlines() if site.marker in line]
        except OSError:
            return []

    found = [f"{path}: {line}" for path in ("/proc/self/mountinfo", "/proc/net/unix") for line in lines(path)]
    toolchains = pathlib.Path(os.environ.get("RUSTUP_HOME", pathlib.Path.home() / ".rustup")).glob("toolchains/*/bin")
    for place in ("/tmp", "/var/tmp", "/dev/shm", "/usr/bin", "/etc", site.server.data, *toolchains):
        found += [str(path) for path in pathlib.Path(place).glob(f"{site.marker}*")]
    return found + [f"process {process}" for process in processes_of(site.marker)]


def processes_of(marker):
    """Those that run a program with the marker in its path."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if marker in os.readlink(process / "exe"):
                found.append(int(process.name))
    return found


def clear(site):
    """Removes what probes without a sandbox have left."""
    for entry in left_behind(site):
        if entry.startswith("process "):
            os.kill(int(entry.split()[1]), 9)
        elif entry.startswith("/") and ": " not in entry:
            os.unlink(entry)


def open_outside():
    """For a fixture: what listens outside of every sandbox."""
    with tempfile.TemporaryDirectory(prefix="cupel-test-", dir="/tmp") as path:
        os.chmod(path, 0o755)
        one = Outside(pathlib.Path(path))
        yield one
        one.close()


def open_site(outside, *options, is_confined):
    """For a fixture: a service that builds probes."""
    with tempfile.TemporaryDirectory(prefix="cupel-test-", dir="/tmp") as path:
        os.chmod(path, 0o755)
        one = Site(pathlib.Path(path), outside, *options, *(() if is_confined else ("--no-sandbox",)),
                   is_confined=is_confined)
        try:
            yield one
        finally:
            one.close()
            clear(one)
