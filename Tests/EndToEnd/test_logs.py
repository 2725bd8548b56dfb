# SPDX-License-Identifier: Apache-2.0
"""The log on standard error: its formats, its levels, and that no client or build can forge a line of it."""
import json
import pathlib
import re
import socket

import pytest

from conftest import cupel, project, tarball

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
# A line of text: words without `=`, or one JSON string; then facts.
WORD = r'(?:[!#-<>-\[\]-~]+|"(?:[^"\\\x00-\x1f\x7f]|\\.)*")'
LINE = re.compile(rf'{TIME} (\w+) {WORD}: ("(?:[^"\\]|\\.)*"|[ !#-<>-\[\]-~]+?)((?: {WORD}=(?:{WORD}|\[.*\]))*)')


def lines(server):
    return pathlib.Path(server.log.name).read_bytes().decode().split("\n")[:-1]


def json_lines(server):
    return [json.loads(line) for line in lines(server)]


def test_each_line_is_one_json_object(new_server):
    server = new_server(environment={"CUPEL_LOG_FORMAT": "json"})
    job, _, outcome = server.build(tarball(project({}), top="probe"))
    assert outcome == {"status": "ok"}
    server.terminate()
    log = json_lines(server)
    assert all(re.fullmatch(TIME, line["time"]) and line["label"] and line["message"] for line in log)
    assert {line["level"] for line in log} <= {"info", "notice", "warning"}
    ended = [line for line in log if line["message"] == "Build ended"]
    assert [(line["build.id"], line["build.outcome"]) for line in ended] == [(job, "ok")]
    assert "Request answered" not in {line["message"] for line in log}


def test_text_is_for_people_and_still_one_line_each(new_server):
    server = new_server()
    job, _, _ = server.build(tarball({"README": "nothing"}, top="probe"))
    server.terminate()
    for line in lines(server):
        assert LINE.fullmatch(line), line
    assert any(f"info cupel: Build ended build.id={job} build.outcome=UnsupportedToolchainError" in line
               for line in lines(server))


def test_requests_are_logged_where_the_operator_asks(new_server):
    server = new_server(environment={"CUPEL_LOG_FORMAT": "json", "CUPEL_LOG_REQUESTS": "true"})
    job, _, outcome = server.build(tarball(project({}), top="probe"))
    assert outcome == {"status": "ok"}
    sent = len(server.raw_events(job))
    result = len(server.result(job)[2])
    server.call("HEAD", f"/build/{job}/result")
    server.call("GET", "/secret%0a/path")
    server.terminate()
    log = [line for line in json_lines(server) if line["message"] == "Request answered"]
    found = [(line["http.method"], line["http.route"], line["http.status"], line["http.bytes"]) for line in log]
    for expected in [("GET", "/build/{id}/events", 200, sent), ("GET", "/build/{id}/result", 200, result),
                     ("HEAD", "/build/{id}/result", 200, 0)]:
        assert expected in found, found
    assert ("POST", "/build", 202) in {entry[:3] for entry in found}
    assert all(0 <= line["http.seconds"] < 300 and line["level"] == "info" for line in log)
    assert {line.get("build.id") for line in log if line["http.route"].startswith("/build/{id}")} == {job}
    assert "secret" not in "\n".join(lines(server))


def test_the_level_decides_what_is_logged(new_server):
    quiet = new_server(environment={"CUPEL_LOG_LEVEL": "error"})
    quiet.build(tarball({"README": "nothing"}, top="probe"))
    quiet.terminate()
    assert lines(quiet) == []
    talkative = new_server(environment={"CUPEL_LOG_LEVEL": "debug", "CUPEL_LOG_FORMAT": "json"})
    talkative.call("GET", "/health")
    talkative.terminate()
    answered = [line for line in json_lines(talkative) if line["message"] == "Request answered"]
    assert [(line["level"], line["http.route"]) for line in answered] == [("debug", "/health")]


@pytest.mark.parametrize("name, value", [("CUPEL_LOG_FORMAT", "xml"), ("CUPEL_LOG_LEVEL", "loud")])
def test_formats_and_levels_that_are_none_are_refused(name, value, folder):
    done = cupel("serve", "--port", "0", "--data", folder / "data", env={name: value})
    assert done.returncode != 0 and name.removeprefix("CUPEL_").lower().replace("_", ".", 1) in done.stderr


FORGED = '{"time":"2026-01-01T00:00:00.000Z","level":"error","label":"cupel","message":"FORGED"}'


@pytest.mark.parametrize("form", ["text", "json"])
def test_nobody_can_forge_a_line(new_server, form):
    """What clients and builds choose, wherever some of it could reach the log, at the most talkative level."""
    server = new_server(environment={"CUPEL_LOG_FORMAT": form, "CUPEL_LOG_LEVEL": "trace"})
    evil = f"\n{FORGED}\n\r\x1b[2K\x1b[1A build.outcome=ok\x00\x85\u2028"
    names = ["Cargo.toml", "source_name", "FORGED%20build.outcome=ok"]
    for path in [f"/build/{'%0a'.join(names)}", "/%0a%1b[2KFORGED", "/build?x=%0aFORGED"]:
        server.call("GET", path)
    server.call("FORGED", "/health")
    # A method, a path and headers as no client library sends them.
    for raw in [b"FORGED\x0b /health HTTP/1.1\r\n\r\n", b"GET /\x1b[2KFORGED\x85 HTTP/1.1\r\nHost: x\r\n\r\n",
                b"GET /health HTTP/1.1\r\nHost: x\r\nX: a\x00\nFORGED: y\r\nConnection: close\r\n\r\n",
                FORGED.encode() + b"\r\n\r\n", b"\xff\xfe\n" + FORGED.encode() + b"\n"]:
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
    for field, text in [("source_name", evil), ("repo_ref", evil), ("nonce", evil), ("repo_url", f"https://x/{evil}")]:
        body = {"nonce": "ab", "repo_url": "https://example.org/a", field: text}
        assert server.call("POST", "/build", json.dumps(body), {"content-type": "application/json"})[0] == 400
    server.call("POST", "/build", b"x", {"content-type": "text/plain; FORGED"})
    # Names and output of a build, and the errors that they bring about.
    text = json.dumps(evil.replace("\0", ""))
    for scalar in ("001b", "0085", "2028"):
        text = text.replace(f"\\u{scalar}", f"\\u{{{scalar}}}")
    failing = {"build.rs": 'fn main() { eprintln!("{}", %s); std::process::exit(1) }' % text}
    named = {evil.replace("/", "").replace("\0", ""): "x"}
    for files in [project(failing, name="FORGED"), named, project({"Cargo.lock": evil}), project({"Cargo.toml": evil})]:
        assert server.build(tarball(files, top="FORGED"))[2]["status"] == "failed"
    server.terminate()
    log = lines(server)
    for line in log:
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]", line), repr(line)
        if form == "json":
            assert json.loads(line)["message"] != "FORGED"
        else:
            assert LINE.fullmatch(line), repr(line)
    assert len(log) > 10
