# SPDX-License-Identifier: Apache-2.0
"""`GET /metrics`, read by Prometheus' own parser, compared with its documentation and with what was done."""
import contextlib
import json
import os
import re
import secrets
import socket
import time

import pytest

from conftest import ROOT, project, tarball

PARSE = """
import json, sys
from prometheus_client.parser import text_string_to_metric_families

families = []
for family in text_string_to_metric_families(open(sys.argv[1]).read()):
    samples = [[s.name, s.labels, s.value] for s in family.samples]
    families.append({"name": family.name, "type": family.type, "help": family.documentation, "samples": samples})
print(json.dumps(families))
"""


@pytest.fixture
def read(folder, independent_python):
    """Reads a server's metrics: from name to family."""

    def read(server):
        status, headers, body = server.call("GET", "/metrics")
        assert status == 200 and headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        (folder / "metrics.txt").write_bytes(body)
        families = independent_python(PARSE, folder / "metrics.txt")
        return {family["name"] + "_total" * (family["type"] == "counter"): family for family in families}

    return read


def value(families, sample, **labels):
    """The one sample with that name and those labels among others; `None` where there is none."""
    family = families.get(sample) or families[re.sub("_(bucket|sum|count)$", "", sample)]
    found = [v for name, has, v in family["samples"] if name == sample and labels.items() <= has.items()]
    assert len(found) < 2, found
    return found[0] if found else None


def read_when(read, server, sample, wanted):
    """The metrics once that sample has that value."""
    deadline = time.monotonic() + 30
    while value(families := read(server), sample) != wanted:
        assert time.monotonic() < deadline, f"{sample} is {value(families, sample)}, not {wanted}"
        time.sleep(0.05)
    return families


def documented():
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ([^|]*)\| ([^|]*) \|$", (ROOT / "docs/metrics.md").read_text(), re.M)
    return {name: (kind, sorted(re.findall(r"`(\w+)`", labels)), text) for name, kind, labels, text in rows}


def test_the_documentation_and_the_output_have_the_same_metrics(server, read):
    server.call("GET", "/health")
    found = {}
    for name, family in read(server).items():
        labels = {tuple(sorted(set(has) - {"le"})) for _, has, _ in family["samples"]}
        assert len(labels) == 1, f"{name} has no sample, or samples with different labels"
        found[name] = (family["type"], list(*labels), family["help"])
    assert found == documented()


def test_every_label_that_is_known_beforehand_is_there_from_the_start(new_server, read):
    server = new_server()
    families = read(server)
    description = json.loads(server.call("GET", "/openapi.json")[2])
    kinds = description["components"]["schemas"]["Job"]["properties"]["error_type"]["enum"]
    outcomes = [has["outcome"] for _, has, _ in families["cupel_builds_ended_total"]["samples"]]
    assert outcomes == ["ok", *kinds]
    phases = [has["phase"] for name, has, _ in families["cupel_build_phase_duration_seconds"]["samples"]
              if name.endswith("_count")]
    assert phases == ["detect", "init", "build", "provenance", "attest"]
    assert value(families, "cupel_jobs_removed_total", reason="age") == 0
    assert value(families, "cupel_event_streams_total") == 0


def test_the_numbers_are_what_was_done(new_server, read):
    server = new_server("--concurrency", "1")
    archive = tarball(project({}), top="probe")
    job, events, outcome = server.build(archive)
    assert outcome == {"status": "ok"}, outcome
    _, _, broken = server.build(tarball(project({"src/main.rs": "not Rust"}), top="probe"))
    assert broken["error_type"] == "BuildError"
    _, _, unknown = server.build(tarball({"README": "nothing to build"}, top="probe"))
    assert unknown["error_type"] == "UnsupportedToolchainError"
    refused = {"nonce": secrets.token_hex(17), "repo_url": "https://example.org/a"}
    assert server.call("POST", "/build", json.dumps(refused), {"content-type": "application/json"})[0] == 400
    assert server.call("POST", "/build", b"x", {"content-type": "text/plain"})[0] == 415
    assert server.call("GET", f"/build/{job}/../../etc/passwd")[0] == 404
    status, _, result = server.result(job)
    assert status == 200

    # The last event comes a moment before the place is free.
    families = read_when(read, server, "cupel_builds_running", 0)

    def count(name, **labels):
        return value(families, name, **labels)

    ended = {has["outcome"]: n for _, has, n in families["cupel_builds_ended_total"]["samples"] if n}
    assert ended == {"ok": 1, "BuildError": 1, "UnsupportedToolchainError": 1}
    assert count("cupel_jobs_accepted_total") == count("cupel_jobs_kept") == 3
    assert count("cupel_build_duration_seconds_count", result="ok") == 1
    assert count("cupel_build_duration_seconds_count", result="failed") == 2
    passed = [count("cupel_build_phase_duration_seconds_count", phase=p)
              for p in ["detect", "init", "build", "provenance", "attest"]]
    assert passed == [3, 2, 2, 1, 1]
    phases = sum(n for name, _, n in families["cupel_build_phase_duration_seconds"]["samples"] if name.endswith("_sum"))
    builds = sum(n for name, _, n in families["cupel_build_duration_seconds"]["samples"] if name.endswith("_sum"))
    assert phases == pytest.approx(builds, abs=0.5), "the phases of a build make up the whole of it"
    assert count("cupel_queue_wait_seconds_count") == 3 and count("cupel_queue_jobs") == 0
    assert count("cupel_http_requests_total", route="/build", method="POST", status="202") == 3
    assert count("cupel_http_requests_total", route="/build", method="POST", status="400") == 1
    assert count("cupel_http_requests_total", route="/build", method="POST", status="415") == 1
    assert count("cupel_http_requests_total", route="/build/{id}/events", method="GET", status="200") == 3
    assert count("cupel_http_requests_total", route="none", method="GET", status="404") == 1
    assert count("cupel_event_streams_total") == 3 and count("cupel_event_stream_readers") == 0
    before = count("cupel_event_stream_sent_bytes_total")
    stream = server.raw_events(job)
    assert value(read(server), "cupel_event_stream_sent_bytes_total") - before == len(stream)
    assert count("cupel_result_sent_bytes_total") == len(result)
    assert count("cupel_upload_received_bytes_total") > len(archive)
    # Those of the good build that it emitted itself: all but `queued` and `complete`.
    assert count("cupel_build_events_total") >= len(events) - 2


def test_the_machine_is_told_of_as_it_is(new_server, read):
    server = new_server()
    families = read(server)
    space = os.statvfs(server.data)
    assert value(families, "cupel_data_folder_free_bytes") == pytest.approx(space.f_bavail * space.f_frsize, rel=0.1)
    assert value(families, "cupel_data_folder_free_inodes") == pytest.approx(space.f_favail, rel=0.1)
    status = open(f"/proc/{server.process.pid}/status").read()
    resident = int(re.search(r"VmRSS:\s+(\d+)", status)[1]) << 10
    assert value(families, "process_resident_memory_bytes") == pytest.approx(resident, rel=0.5)
    limits = open(f"/proc/{server.process.pid}/limits").read()
    assert value(families, "process_max_fds") == int(re.search(r"Max open files\s+(\d+)", limits)[1])
    ticks = int(open(f"/proc/{server.process.pid}/stat").read().rpartition(")")[2].split()[19])
    started = int(re.search(r"btime (\d+)", open("/proc/stat").read())[1]) + ticks / os.sysconf("SC_CLK_TCK")
    assert value(families, "process_start_time_seconds") == pytest.approx(started, abs=5)
    assert 0 < value(families, "process_cpu_seconds_total") < 60
    assert value(families, "cupel_log_messages_total", level="info") > 0
    assert value(families, "cupel_log_messages_total", level="error") == 0


def test_connections_and_their_descriptors_are_counted(new_server, read):
    server = new_server()
    before = read(server)
    with contextlib.ExitStack() as connections:
        for _ in range(100):
            connection = connections.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(4096)
        families = read(server)
    assert value(families, "cupel_http_connections") == 101, "these, and the one that asks"
    # At its start the server has others open for a while: it looks at the toolchains.
    assert 70 <= value(families, "process_open_fds") - value(before, "process_open_fds") <= 130
    families = read_when(read, server, "cupel_http_connections", 1)
    assert value(families, "cupel_http_connections_total") - value(before, "cupel_http_connections_total") >= 101


def test_counts_of_kept_jobs_survive_a_restart(new_server, read):
    server = new_server()
    server.build(tarball({"README": "nothing to build"}, top="probe"))
    server.terminate()
    server.start()
    families = read(server)
    assert value(families, "cupel_jobs_kept") == 1 and value(families, "cupel_jobs_accepted_total") == 0


def test_they_are_not_served_where_the_operator_says_so(new_server):
    server = new_server(environment={"CUPEL_METRICS": "false"})
    status, _, body = server.call("GET", "/metrics")
    assert status == 404 and json.loads(body)["error_type"] == "InvalidRequestError"
