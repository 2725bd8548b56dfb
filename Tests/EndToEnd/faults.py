# SPDX-License-Identifier: Apache-2.0
"""A server whose disk fails on command: fault_layer.c, and the file by which it is told what to do."""
import errno
import mmap
import pathlib
import struct
import subprocess

KINDS = ["open", "create", "write", "sync", "rename", "mkdir", "remove", "link", "truncate", "mode", "copy", "read",
         "list"]
HEAD = struct.Struct("<IiIIQQQI84s")
ENTRY = struct.Struct("<I124s")
ENTRIES = 16384
SIZE = HEAD.size + ENTRIES * ENTRY.size
SHORT = 0

# What each kind of call is known to answer on Linux; a write may also take less than it was given.
FULL = [errno.ENOSPC, errno.EDQUOT]
ERRORS = {
    "open": [errno.EMFILE, errno.EIO, errno.EINTR], "create": [*FULL, errno.EMFILE, errno.EIO, errno.EINTR],
    "write": [*FULL, errno.EIO, errno.EINTR, SHORT], "sync": [errno.EIO, *FULL, errno.EINTR],
    "rename": [*FULL, errno.EIO], "mkdir": [*FULL, errno.EIO], "remove": [errno.EIO], "link": [*FULL, errno.EIO],
    "truncate": [errno.EIO, errno.EINTR], "mode": [errno.EIO], "copy": [errno.EIO, SHORT],
    "read": [errno.EIO, errno.EINTR], "list": [errno.EMFILE, errno.EIO],
}
# Nobody may notice these.
INVISIBLE = {errno.EINTR, SHORT}


class Faults:
    """The switch of one server's disk."""

    def __init__(self, folder, layer):
        """`folder` is the server's data folder, `layer` the compiled library."""
        self.path = pathlib.Path(f"{folder}.faults")
        self.path.write_bytes(bytes(SIZE))
        with open(self.path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), SIZE)
        self.environment = {"LD_PRELOAD": str(layer), "FAULT_FOLDER": str(folder), "FAULT_CONTROL": str(self.path)}

    def arm(self, target=0, error=0, times=1, every=1, kinds=KINDS, part=""):
        """From now on calls of `kinds`, on paths that contain `part`, are counted from 1; the one numbered `target`
        fails, and each `every`th from there on, `times` in all. Without a target they are only counted."""
        self.disarm()
        mask = sum(1 << KINDS.index(kind) for kind in kinds)
        HEAD.pack_into(self.map, 0, 0, error, mask, times, target, 0, 0, every, part.encode())
        struct.pack_into("<I", self.map, 0, 1)

    def disarm(self):
        """Returns how many calls have failed."""
        struct.pack_into("<I", self.map, 0, 0)
        return HEAD.unpack_from(self.map)[6]

    @property
    def count(self):
        return HEAD.unpack_from(self.map)[5]

    def journal(self):
        """The calls that were counted: (kind, path below the folder)."""
        entries = [ENTRY.unpack_from(self.map, HEAD.size + number * ENTRY.size)
                   for number in range(min(self.count, ENTRIES))]
        return [(KINDS[kind], path.split(b"\0")[0].decode(errors="replace")) for kind, path in entries]


def compile_layer(folder):
    """The library, made from its source with the C compiler that Rust needs too."""
    layer = folder / "fault_layer.so"
    source = pathlib.Path(__file__).with_name("fault_layer.c")
    options = ["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run(["cc", *options, "-o", layer, source, "-ldl"], check=True)
    return layer


def describe(error):
    return "SHORT" if error == SHORT else errno.errorcode[error]
