# SPDX-License-Identifier: Apache-2.0
"""What the processes of a measurement use of the processors, however many there are and whoever waits for them."""
import os
import pathlib
import resource
import time

GROUPS = pathlib.Path("/sys/fs/cgroup")


class Account:
    """A control group of its own (version 1 or 2). Where this user may make none: what this process's children used."""

    def __init__(self):
        self.folder = None
        for parent in (GROUPS / "cpuacct", GROUPS):
            if self.folder is None and any((parent / name).exists() for name in ("cpuacct.stat", "cgroup.controllers")):
                try:
                    folder = parent / f"benchmark-{os.getpid()}"
                    folder.mkdir()
                    self.folder = folder
                except OSError:
                    pass
        self.start = self.total()

    def enter(self, process=0):
        """Adds a process, by default the calling one, and with it all that it starts from now on."""
        if self.folder:
            (self.folder / "cgroup.procs").write_text(str(process))

    def total(self):
        if self.folder is None:
            children = resource.getrusage(resource.RUSAGE_CHILDREN)
            return children.ru_utime, children.ru_stime
        version1 = (self.folder / "cpuacct.usage_user").exists()
        if version1:
            return tuple(int((self.folder / f"cpuacct.usage_{kind}").read_text()) / 1e9 for kind in ("user", "sys"))
        values = dict(line.split() for line in (self.folder / "cpu.stat").read_text().splitlines())
        return int(values["user_usec"]) / 1e6, int(values["system_usec"]) / 1e6

    def used(self):
        """User and system seconds since the beginning."""
        return tuple(now - then for now, then in zip(self.total(), self.start))

    def close(self):
        for _ in range(100 if self.folder else 0):
            try:
                return self.folder.rmdir()
            except OSError:
                time.sleep(0.05)
