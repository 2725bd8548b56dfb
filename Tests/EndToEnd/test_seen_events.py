# SPDX-License-Identifier: Apache-2.0
"""A host that shows its requester other events than those of the build: `cupel build` and `cupel verify --events` find it out."""
import contextlib
import http.client
import http.server
import json
import threading

import pytest

from conftest import cupel, project, sha256, tarball, unpack

FILES = project({"build.rs": 'fn main() { for i in 0..5 { println!("cargo:warning=line {i}"); } }\n'})


@contextlib.contextmanager
def lying_host(port, change):
    """The address of a host that passes everything on to `port`, but for the events, which `change` gets as a list."""

    class Host(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def log_message(self, *_):
            pass

        def pass_on(self):
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
            names = ("content-type", "idempotency-key")
            headers = {name: self.headers[name] for name in names if self.headers[name]}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            if "/events" in self.path:
                blocks = [block for block in content.split(b"\n\n") if block.startswith(b"data: ")]
                content = b"".join(block + b"\n\n" for block in change(blocks))
            self.send_response(answer.status)
            self.send_header("content-type", answer.getheader("content-type"))
            self.end_headers()
            self.wfile.write(content)
            connection.close()

        do_GET = do_POST = do_DELETE = pass_on

    host = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Host)
    thread = threading.Thread(target=host.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{host.server_address[1]}"
    finally:
        host.shutdown()
        thread.join()
        host.server_close()


def of_build(blocks):
    """The places of the log's lines among the events."""
    return [place for place, block in enumerate(blocks) if b'"type":"build"' in block]


def change_line(blocks):
    place = of_build(blocks)[1]
    blocks[place] = blocks[place].replace(b"line 0", b"line O").replace(b"probe", b"prove")
    return blocks


def drop_line(blocks):
    del blocks[of_build(blocks)[2]]
    return blocks


def add_line(blocks):
    return blocks[:of_build(blocks)[-1]] + [b'data: {"type":"build","msg":"warning: all tests passed"}'] + \
        blocks[of_build(blocks)[-1]:]


def swap_lines(blocks):
    one, other = of_build(blocks)[1:3]
    assert blocks[one] != blocks[other]
    blocks[one], blocks[other] = blocks[other], blocks[one]
    return blocks


def join_lines(blocks):
    one, other = of_build(blocks)[1:3]
    text = "\n".join(json.loads(blocks[place][len(b"data: "):])["msg"] for place in (one, other))
    blocks[one] = b"data: " + json.dumps({"type": "build", "msg": text}).encode()
    del blocks[other]
    return blocks


CHANGES = [change_line, drop_line, add_line, swap_lines, join_lines]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seen") / "probe"
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


@pytest.mark.parametrize("change", CHANGES)
def test_a_host_that_changes_events_is_refused_by_its_requester(server, source, folder, change):
    with lying_host(server.port, change) as host:
        done = cupel("build", source, "--server", host, "--output", folder / "out", check=1)
    assert "the server sent other events than those of the build that is attested" in done.stderr
    assert "line" in done.stderr
    names = [path.name for path in (folder / "out").iterdir()]
    assert names == ["probe.refused.tar.gz"], "nothing of it lies where somebody could run it"


def test_a_host_that_changes_nothing_is_believed(server, source, folder):
    with lying_host(server.port, lambda blocks: blocks) as host:
        done = cupel("build", source, "--server", host, "--output", folder / "out", check=0)
    assert "that were seen are build.log" in done.stdout
    assert (folder / "out/probe/provenance.json").exists()


@pytest.fixture(scope="module")
def built(server, tmp_path_factory):
    """(saved stream as bytes, path of the tarball)."""
    job, _, outcome = server.build(tarball(FILES, top="probe"))
    assert outcome == {"status": "ok"}
    path = tmp_path_factory.mktemp("built") / "probe.tar.gz"
    path.write_bytes(server.result(job)[2])
    return server.raw_events(job), path


def verify(events, bundle, folder, *options, check):
    (folder / "saved.sse").write_bytes(events)
    return cupel("verify", bundle, "--allow-software", "--events", folder / "saved.sse", *options, check=check)


def test_saved_events_are_compared_with_a_bundle(built, folder):
    events, bundle = built
    assert "that were seen are build.log" in verify(events, bundle, folder, check=0).stdout
    report = json.loads(verify(events, bundle, folder, "--json", check=0).stdout)
    log = unpack(bundle.read_bytes())["build.log"]
    line = next(line for line in report["lines"] if line["name"] == "events")
    assert f"{log.count(bytes([10]))} lines" in line["compared"] and sha256(log) in line["compared"]


@pytest.mark.parametrize("change", CHANGES)
def test_changed_events_are_found_out(built, folder, change):
    events, bundle = built
    blocks = change([block for block in events.split(b"\n\n") if block])
    changed = b"".join(block + b"\n\n" for block in blocks)
    report = json.loads(verify(changed, bundle, folder, "--json", check=1).stdout)
    assert [finding["code"] for finding in report["findings"]] == ["events.log"]
    assert "; line " in report["findings"][0]["found"]


def test_events_of_another_kind_are_no_excuse(built, folder):
    events, bundle = built
    cut = events[:events.index(b'data: {"type":"complete"')]
    assert "events.end" in verify(cut, bundle, folder, check=1).stdout
    failed = cut + b'data: {"type":"complete","result":{"status":"failed","error":"x","error_type":"BuildError"}}\n\n'
    assert "events.outcome" in verify(failed, bundle, folder, check=1).stdout
    # As browsers get them, with ids and comments.
    numbered = b"".join(
        b": keep-alive\n\nid: %d\n%s\n\n" % (number, block)
        for number, block in enumerate(events.split(b"\n\n")) if block)
    assert "that were seen are build.log" in verify(numbered, bundle, folder, check=0).stdout


def test_what_is_no_stream_cannot_be_checked(built, folder):
    events, bundle = built
    for text, words in [(b"", "holds no event"), (b"hello\n", "holds no event"), (b"data: {\n\n", "no event stream")]:
        assert words in verify(text, bundle, folder, check=2).stderr
    done = cupel("verify", bundle, "--allow-software", "--events", folder / "missing", check=2)
    assert "could not be opened" in done.stderr
    done = cupel("verify", bundle, bundle, "--allow-software", "--events", folder / "saved.sse", check=2)
    assert "--events is for one bundle" in done.stderr


def test_lines_of_an_attempt_that_a_stop_ended_are_in_no_bundle(built, folder):
    events, bundle = built
    first = b'data: {"type":"detect","msg":"cargo"}\n\ndata: {"type":"build","msg":"of the first attempt"}\n\n'
    assert "; 1 of earlier attempts" in verify(first + events, bundle, folder, "--json", check=0).stdout
