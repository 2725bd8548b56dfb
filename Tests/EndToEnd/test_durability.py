# SPDX-License-Identifier: Apache-2.0
"""What is synced to the disk before a submission is answered."""
import json
import pathlib
import re
import subprocess
import time

import pytest

from conftest import project, tarball


def synced(server, folder, submit):
    """Paths that the server syncs until `submit` has its answer, in order."""
    trace = folder / "trace"
    tracer = subprocess.Popen(["strace", "-f", "-y", "-e", "trace=fsync,fdatasync", "-o", trace, "-p", str(server.process.pid)],
                              stderr=subprocess.PIPE, text=True)
    try:
        line = tracer.stderr.readline()
        if "Operation not permitted" in line:
            pytest.skip(f"processes cannot be traced here: {line.strip()}")
        assert "attached" in line, line
        # Its threads are attached one after another.
        threads, deadline = pathlib.Path(f"/proc/{server.process.pid}/task"), time.monotonic() + 30
        while not all(is_traced(thread, tracer.pid) for thread in threads.glob("*")):
            assert time.monotonic() < deadline, "a thread is not traced"
            time.sleep(0.01)
        job = submit()
    finally:
        tracer.terminate()
        tracer.wait()
        tracer.stderr.close()
    names = re.findall(r"(?:fsync|fdatasync)\(\d+<([^>]*)>", trace.read_text())
    return job, [name.removeprefix(f"{server.data}/") for name in names]


def is_traced(thread, tracer):
    try:
        return f"TracerPid:\t{tracer}\n" in (thread / "status").read_text()
    except OSError:
        return True  # it has ended


def test_a_submission_is_answered_when_it_is_on_the_disk(new_server, folder):
    server = new_server("--concurrency", "1")
    endless = tarball(project({"build.rs": "fn main() { loop { std::thread::sleep(std::time::Duration::from_secs(1)); } }"}),
                      top="probe")
    # The only place is taken, so that no other sync is seen than those of the submission.
    running = server.submit(endless)
    with server.stream(running) as stream:
        while b'"type":"build"' not in (line := stream.readline()):
            assert line, "the stream ended"
    _, names = synced(server, folder, lambda: server.submit_git("https://127.0.0.1:1/a/project.git"))
    assert names == ["cupel.sqlite-wal"], names
    job, names = synced(server, folder, lambda: server.submit(endless))
    assert names == [f"incoming/{job}", "incoming", "cupel.sqlite-wal"], names
    assert json.loads(server.call("GET", f"/build/{job}")[2])["status"] == "queued"
