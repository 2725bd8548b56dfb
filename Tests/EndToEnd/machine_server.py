# SPDX-License-Identifier: Apache-2.0
"""A server that builds in machines, and projects that are small enough for software emulation."""
import contextlib
import http.client
import pathlib
import time

from conftest import Server, parse_events
from machine_census import command_of

# Enough for rustc. One processor: an emulated machine keeps one of the host's busy, so two machines have one each.
MEMORY = "1 GiB"
CPUS = 1
# With two machines at a time on a busy host.
BOOT_SECONDS = 400


class MachineServer(Server):
    """`cupel serve --isolation vm`, with a folder of its own for temporary files: what is left there is seen."""

    def __init__(self, folder, image, *options, spare=0, concurrency=2):
        folder.mkdir(mode=0o755)
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        environment = {
            "CUPEL_MACHINE_IMAGE": str(image), "CUPEL_MACHINE_KIND": "vtpm", "CUPEL_MACHINE_MEMORY": MEMORY,
            "CUPEL_MACHINE_CPUS": str(CPUS), "CUPEL_MACHINE_SPARE": str(spare),
            "CUPEL_MACHINE_BOOT_SECONDS": str(BOOT_SECONDS), "TMPDIR": str(self.temporary)}
        super().__init__(folder / "data", "--isolation", "vm", "--concurrency", str(concurrency),
                         "--allow-private-sources", *options, environment=environment)

    @property
    def authority(self):
        """The certificate of the operator's own TPM CA, PEM: what a verifier must name."""
        return self.data / "tpm-ca/ca.pem"

    def follow(self, job, until=None, seen=None):
        """The events of a live stream, each with the second in which it came; ends after the first for which `until`
        is true, or at the end of the stream."""
        start, found = time.monotonic(), []
        with self.stream(job) as response:
            while line := response.readline():
                for event in parse_events(line + b"\n\n"):
                    found.append((time.monotonic() - start, event))
                    if seen:
                        seen(event)
                    if until and until(event):
                        return found
        return found


def guest_call(port, method, path, body=None, headers=None):
    """A request to the guest's own port, past the server."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    with contextlib.closing(connection):
        connection.request(method, path, body=body, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.read()


def is_of(kind, text=""):
    """Whether an event is of a kind, and has a text in its message."""
    return lambda event: event["type"] == kind and text in event.get("msg", "")


def wait_for(what, seconds, message):
    """Asks until the answer is true, and returns it."""
    end = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < end, f"after {seconds} s: {message}"
        time.sleep(0.2)
    return answer


def is_gone(process):
    """Whether a process is no more, or only waits for somebody who asks how it ended."""
    return not command_of(pathlib.Path(f"/proc/{process}"))
