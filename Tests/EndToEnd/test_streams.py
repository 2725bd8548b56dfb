# SPDX-License-Identifier: Apache-2.0
"""Many readers of one stream, and clients that were written for the existing service."""
import concurrent.futures
import json
import pathlib
import random
import socket
import subprocess

from conftest import parse_events, project, tarball, unpack

LINES = 400


def chatty_project():
    return tarball(project({"build.rs": """
fn main() {
    for i in 0..%d {
        println!("cargo:warning=line {i}");
    }
}
""" % LINES, "src/main.rs": "fn main() { %s }" % "let _x = 1;" * 1}), top="probe")


def test_readers_that_join_drop_and_resume_see_the_same_stream(server):
    job = server.submit(chatty_project())
    moments = random.Random(7)

    def patient(count):
        """Joins late: when there are so many events."""
        with server.stream(job) as response:
            for _ in range(2 * count):
                response.readline()
        return server.raw_events(job)

    def dropping(count):
        blocks = []
        while not blocks or b'"type":"complete"' not in blocks[-1]:
            with server.stream(job, len(blocks)) as response:
                for _ in range(count):
                    line = response.readline()
                    if not line:
                        break
                    if line.startswith(b"data: "):
                        blocks.append(line + response.readline())
        return b"".join(blocks)

    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        readers = [pool.submit(patient, moments.randint(0, LINES)) for _ in range(16)]
        readers += [pool.submit(dropping, moments.randint(3, 60)) for _ in range(8)]
        streams = {reader.result() for reader in readers}
    assert len(streams) == 1
    lines = [e["msg"] for e in parse_events(streams.pop()) if e["type"] == "build" and "line " in e["msg"]]
    assert [int(line.rsplit(" ", 1)[1]) for line in lines] == list(range(LINES)), "a line of the build was lost or repeated"


def test_a_stalled_reader_slows_nobody(server):
    stalled = []
    job = server.submit(chatty_project())
    for _ in range(20):
        connection = socket.create_connection(("127.0.0.1", server.port))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(f"GET /build/{job}/events HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        stalled.append(connection)
    events = server.events(job)
    assert events[-1]["result"] == {"status": "ok"}
    for connection in stalled:
        connection.close()


def test_curl_and_jq_clients_work_unchanged(server, folder):
    """What the remote-build scripts of the existing service do: a POST, lines that start with `data:`, a download, tar."""
    archive = folder / "probe.tar.gz"
    archive.write_bytes(tarball(project({}), top="probe"))
    script = pathlib.Path(__file__).with_name("remote-build.sh")
    done = subprocess.run(["bash", script, server.url, archive, folder / "out"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Compiling probe" in done.stdout
    binary = folder / "out/probe/artifacts/probe"
    assert subprocess.run([binary], capture_output=True, text=True).stdout == "hello\n"


def test_ranges_and_etags_resume_a_download(server):
    job, _, outcome = server.build(tarball(project({}), top="probe"))
    assert outcome == {"status": "ok"}
    status, headers, whole = server.result(job)
    assert status == 200 and int(headers["content-length"]) == len(whole) and headers["etag"]
    middle = len(whole) // 2
    status, part_headers, part = server.call(
        "GET", f"/build/{job}/result", headers={"range": f"bytes={middle}-", "if-range": headers["etag"]})
    assert status == 206 and whole[:middle] + part == whole
    assert part_headers["content-range"] == f"bytes {middle}-{len(whole) - 1}/{len(whole)}"
    assert server.call("GET", f"/build/{job}/result", headers={"range": f"bytes={len(whole)}-"})[0] == 416
    assert server.call("GET", f"/build/{job}/result", headers={"range": "bytes=0-9", "if-range": '"other"'})[0] == 200
    status, head, body = server.call("HEAD", f"/build/{job}/result")
    assert status == 200 and body == b"" and head["content-length"] == headers["content-length"]


def test_the_same_source_gives_the_same_artifacts(server):
    archive = tarball(project({}), top="probe")
    results = []
    for _ in range(2):
        job, _, outcome = server.build(archive, nonce="aa")
        assert outcome == {"status": "ok"}
        results.append(unpack(server.result(job)[2]))
    assert results[0]["artifacts/probe"] == results[1]["artifacts/probe"]


def test_the_served_interface_is_the_described_one(server):
    status, headers, body = server.call("GET", "/openapi.json")
    description = json.loads(body)
    assert status == 200 and headers["content-type"].startswith("application/json")
    assert set(description["paths"]) == {
        "/build", "/build/{id}", "/build/{id}/events", "/build/{id}/result", "/health", "/metrics", "/openapi.json"}
    for path, operations in description["paths"].items():
        concrete = path.replace("{id}", "0" * 32)
        for method in ("get", "put", "delete", "patch"):
            status, _, _ = server.call(method.upper(), concrete)
            assert (status == 405) == (method not in operations), (method, path, status)
            if method in operations:
                assert str(status) in operations[method]["responses"], (method, path, status)
