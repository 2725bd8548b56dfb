# SPDX-License-Identifier: Apache-2.0
"""A submission that is sent again with its Idempotency-Key is the same submission."""
import base64
import concurrent.futures
import json
import secrets
import socket
import threading

import pytest

from conftest import cupel, project, tarball

COUNT = 1000
GIT = {"nonce": "00ff17", "repo_url": "https://127.0.0.1:1/a/project.git"}


def post(server, fields, key=None, headers=None):
    headers = {"content-type": "application/json", **({"Idempotency-Key": key} if key else {}), **(headers or {})}
    status, _, body = server.call("POST", "/build", json.dumps(fields), headers)
    return status, json.loads(body)


def upload(body, name="a.tar.gz"):
    return {"nonce": "00ff17", "source_name": name, "source_data": base64.b64encode(body).decode()}


def on_disk(server):
    return sorted(p.name for folder in ("jobs", "incoming") for p in (server.data / folder).iterdir())


def test_a_thousand_at_one_time_make_one_job_that_is_known_for_good(new_server, folder):
    data = folder / "data"
    server = new_server("--concurrency", "1", data=data)
    key, request = secrets.token_hex(16), upload(tarball(project({}), top="probe"))
    with concurrent.futures.ThreadPoolExecutor(64) as threads:
        answers = list(threads.map(lambda _: post(server, request, key), range(COUNT)))
    ids = {answer.get("job_id") for status, answer in answers if status == 202}
    assert all(status == 202 for status, _ in answers), [a for a in answers if a[0] != 202][:3]
    assert len(ids) == 1 and on_disk(server) == [*ids]
    job = ids.pop()
    print(f"{COUNT} submissions with one key, 1 job")
    assert server.events(job)[-1]["result"] == {"status": "ok"}
    assert post(server, request, f'"{key}"') == (202, {"job_id": job}), "the key in quotation marks is another one"
    for stop in ("kill", "terminate"):
        getattr(server, stop)()
        server = new_server("--concurrency", "1", data=data)
        assert post(server, request, key) == (202, {"job_id": job})
        assert on_disk(server) == [job]


def test_another_request_with_the_key_is_refused_and_leaves_nothing(new_server):
    server = new_server("--concurrency", "1")
    archive = tarball(project({}), top="probe")
    first = {"a": upload(archive), "b": {**GIT, "repo_ref": "main"}}
    jobs = {key: post(server, request, key)[1]["job_id"] for key, request in first.items()}
    others = {
        "a": [upload(archive + b"\0"), upload(archive, "b.tar.gz"), {**upload(archive), "nonce": "00ff18"}, GIT],
        "b": [GIT, {**GIT, "repo_ref": "dev"}, {**GIT, "repo_ref": "main", "nonce": "00"}, upload(archive),
              {**GIT, "repo_ref": "main", "repo_url": "https://127.0.0.1:1/a/other.git"}],
    }
    for key, requests in others.items():
        for request in requests:
            status, answer = post(server, request, key)
            assert status == 409 and answer["error_type"] == "InvalidRequestError", (key, request, answer)
            assert "Idempotency-Key" in answer["error"] and "new key" in answer["error"]
    for key, request in first.items():
        assert post(server, request, key) == (202, {"job_id": jobs[key]})
    assert on_disk(server) == sorted(jobs.values())
    assert post(server, first["a"], "c")[1]["job_id"] not in jobs.values()
    assert post(server, first["a"])[1]["job_id"] != post(server, first["a"])[1]["job_id"]


@pytest.mark.parametrize("key", [
    "", '""', " ", "a b", "ä", "a\tb", "x" * 256, f'"{"x" * 256}"', '"a', '"a"b', '"a";p=1', '"a\\b"', '"a b"', '"', '"\\"',
], ids=repr)
def test_a_key_that_is_none_is_refused(server, key):
    before = on_disk(server)
    status, answer = raw_post(server, [key])
    assert status == 400 and "Idempotency-Key" in answer["error"], (status, answer)
    assert on_disk(server) == before


def test_two_keys_are_refused(server):
    assert raw_post(server, ["a", "b"])[0] == 400


@pytest.mark.parametrize("key, same", [
    ("!", '"!"'), ("x" * 255, f'"{"x" * 255}"'), ("a,b;c=d", '"a,b;c=d"'), ('a"b\\', '"a\\"b\\\\"'),
])
def test_a_key_is_the_same_bare_and_in_quotation_marks(server, key, same):
    nonce = secrets.token_hex(8)
    jobs = {post(server, {**GIT, "nonce": nonce}, k)[1]["job_id"] for k in (key, same, key)}
    assert len(jobs) == 1


def raw_post(server, keys):
    body = json.dumps(GIT).encode()
    head = "".join(f"Idempotency-Key: {key}\r\n" for key in keys)
    request = (f"POST /build HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n{head}"
               f"Content-Length: {len(body)}\r\n\r\n").encode("utf-8") + body
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(request)
        answer = b""
        while block := connection.recv(65536):
            answer += block
    head, body = answer.split(b"\r\n\r\n", 1)
    return int(head.split()[1]), json.loads(body)


def test_a_duplicate_is_answered_also_where_the_queue_is_full(new_server):
    server = new_server("--concurrency", "1", environment={"CUPEL_QUEUE_LENGTH": "1"})
    slow = upload(tarball(project({"build.rs": "fn main() { loop { std::thread::sleep("
                                               "std::time::Duration::from_secs(1)); } }"}), top="probe"))
    running = post(server, slow, "running")[1]["job_id"]
    waiting = post(server, slow, "waiting")[1]["job_id"]
    assert post(server, slow, "new")[0] == 503
    assert post(server, slow, "running") == (202, {"job_id": running})
    assert post(server, slow, "waiting") == (202, {"job_id": waiting})
    assert on_disk(server) == sorted([running, waiting])


class Swallower:
    """A proxy that passes on what clients send, and loses the server's first answer to a submission."""

    def __init__(self, port):
        self.port, self.lost = port, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        server = socket.create_connection(("127.0.0.1", self.port))
        first = client.recv(65536)
        server.sendall(first)
        loses = first.startswith(b"POST /build ") and not self.lost

        def pass_on():
            while block := client.recv(65536):
                server.sendall(block)
        threading.Thread(target=lambda: self.quietly(pass_on), daemon=True).start()

        def answer():
            while block := server.recv(65536):
                if loses:
                    self.lost += 1
                    client.shutdown(socket.SHUT_RDWR)
                    return
                client.sendall(block)
        self.quietly(answer)
        client.close()
        server.close()

    @staticmethod
    def quietly(work):
        try:
            work()
        except OSError:
            pass


def test_the_command_line_builds_once_though_the_answer_is_lost(new_server, folder):
    server = new_server("--concurrency", "1")
    proxy = Swallower(server.port)
    source = folder / "probe"
    for path, text in project({}).items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(text)
    cupel("build", source, "--server", proxy.url, "--output", folder / "out", check=0)
    assert proxy.lost == 1
    assert len(on_disk(server)) == 1
    assert (folder / "out/probe/provenance.json").exists()
    proxy.listener.close()
