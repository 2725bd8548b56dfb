# SPDX-License-Identifier: Apache-2.0
"""Submissions that lie, that are made to confuse what reads them, or that lead where they must not. Each is refused with
its own sentence, or its build fails with one; nothing of it stays on the disk, and nothing on this machine is asked."""
import base64
import gzip
import http.server
import io
import json
import os
import pathlib
import socket
import tarfile
import tempfile
import threading
import zipfile

import pytest

from conftest import Server, project, skip_where_nothing_can_be_mounted, tarball
from test_sources import commit_repository, git, publish, repositories  # noqa: F401, the last is a fixture
from wire import connect, descriptors, left_behind, settled_descriptors

GOOD = tarball(project({}), top="probe")
GOOD64 = base64.b64encode(GOOD).decode()
KIND = "application/json"


def form(*parts, boundary=b"xyz", end=b"--xyz--\r\n"):
    """A multipart body: each part is (headers, content)."""
    body = b"".join(b"--" + boundary + b"\r\n" + headers + b"\r\n\r\n" + content + b"\r\n" for headers, content in parts)
    return body + end


def field(name, content=b"aa"):
    return b'Content-Disposition: form-data; name="%s"' % name, content


FORM = "multipart/form-data; boundary=xyz"
NONCE = field(b"nonce")
SOURCE = b'Content-Disposition: form-data; name="source"; filename="a.tar.gz"', GOOD


def fields(**members):
    return json.dumps({"nonce": "aa", **members}).encode()


def raw(text):
    return text.encode() if isinstance(text, str) else text


JSON_SOURCE = '"source_data":"%s"' % GOOD64
# name: (content type, body, status, words of the sentence)
REFUSED = {
    "no bytes": (KIND, b"", 400, "empty"),
    "no bytes of a form": (FORM, b"", 400, "breaks off"),
    "no bytes of an archive": ("application/gzip", b"", 400, "nonce is missing"),
    "white space": (KIND, b" \r\n\t", 400, "not JSON"),
    "no type": (None, fields(source_data=GOOD64), 415, "names none"),
    "a wrong type": ("text/plain", fields(source_data=GOOD64), 415, "text/plain"),
    "a type that is almost right": ("application/jsonp", fields(source_data=GOOD64), 415, "application/jsonp"),
    "a type with two slashes": ("application//json", fields(source_data=GOOD64), 415, "content type"),
    "a form of the other kind": ("application/x-www-form-urlencoded", b"nonce=aa", 415, "content type"),
    # JSON
    "an array": (KIND, b"[]", 400, "object"),
    "a string": (KIND, b'"nonce"', 400, "object"),
    "a number": (KIND, b"1", 400, "object"),
    "an object that breaks off": (KIND, b'{"nonce":"aa",', 400, "not JSON"),
    "a string that breaks off": (KIND, raw('{"nonce":"aa","source_data":"%s' % GOOD64[:40]), 400, "not JSON"),
    "two objects": (KIND, fields(source_data=GOOD64) + b"{}", 400, "after the value"),
    "an archive in a second object": (KIND, raw('{"nonce":"aa"}{%s}' % JSON_SOURCE), 400, "after the value"),
    "bytes after the object": (KIND, fields(source_data=GOOD64) + b"\0", 400, "after the value"),
    "a byte order mark": (KIND, b"\xef\xbb\xbf" + fields(source_data=GOOD64), 400, "not JSON"),
    "UTF-16": (KIND, fields(source_data=GOOD64).decode().encode("utf-16"), 400, "not JSON"),
    "a nonce twice": (KIND, raw('{"nonce":"aa","nonce":"bb",%s}' % JSON_SOURCE), 400, "twice"),
    "a nonce twice, once in escapes": (KIND, raw('{"nonce":"aa","\\u006eonce":"bb",%s}' % JSON_SOURCE), 400, "twice"),
    "an archive twice": (KIND, raw('{"nonce":"aa",%s,%s}' % (JSON_SOURCE, JSON_SOURCE)), 400, "twice"),
    "an archive twice, once in escapes": (
        KIND, raw('{"nonce":"aa","source\\u005fdata":"QUJD",%s}' % JSON_SOURCE), 400, "twice"),
    "an archive twice, once null": (KIND, raw('{"nonce":"aa","source_data":null,%s}' % JSON_SOURCE), 400, "twice"),
    "an archive that is a list": (KIND, raw('{"nonce":"aa","source_data":["%s"]}' % GOOD64), 400, "string of base64"),
    "an archive in an object": (KIND, raw('{"nonce":"aa","a":{%s}}' % JSON_SOURCE), 400, "source is missing"),
    "an archive that is a number": (KIND, fields(source_data=1), 400, "string of base64"),
    "a nonce that is a number": (KIND, raw('{"nonce":12,%s}' % JSON_SOURCE), 400, "nonce must be a string"),
    "a nonce that is a list": (KIND, raw('{"nonce":["aa"],%s}' % JSON_SOURCE), 400, "nonce must be a string"),
    "a name that is true": (KIND, fields(source_data=GOOD64, source_name=True), 400, "source_name must be a string"),
    "a depth of 20,000": (KIND, b'{"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}", 400, "nested deeper"),
    "a depth of 100,000": (KIND, b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400, "longer than"),
    "100,000 open objects": (KIND, b'{"a":' * 100_000, 400, "longer than"),
    "a number beyond any range": (KIND, raw('{"nonce":"aa","a":1e999999,%s}' % JSON_SOURCE), 400, "not JSON"),
    "a number of 60,000 digits": (KIND, raw('{"nonce":"aa","a":%s}' % ("9" * 60_000)), 400, "not JSON"),
    "a number with a leading zero": (KIND, raw('{"nonce":"aa","a":01,%s}' % JSON_SOURCE), 400, "not JSON"),
    "NaN": (KIND, raw('{"nonce":"aa","a":NaN,%s}' % JSON_SOURCE), 400, "not JSON"),
    "a comment": (KIND, raw('{"nonce":"aa",/* */%s}' % JSON_SOURCE), 400, "not JSON"),
    "a comma too many": (KIND, raw('{"nonce":"aa",%s,}' % JSON_SOURCE), 400, "not JSON"),
    "quotation marks of another kind": (KIND, b"{'nonce':'aa'}", 400, "not JSON"),
    "bytes that are not UTF-8": (KIND, b'{"nonce":"aa","repo_url":"https://x/\xff"}', 400, "not JSON"),
    "an overlong slash": (KIND, b'{"nonce":"aa","repo_url":"https://x\xc0\xafy"}', 400, "not JSON"),
    "a lone surrogate": (KIND, b'{"nonce":"aa","source_name":"\\ud800","a":1}', 400, "lone surrogate"),
    "a lone surrogate in UTF-8": (KIND, b'{"nonce":"aa","source_name":"\xed\xa0\x80"}', 400, "not JSON"),
    "a control character in a string": (KIND, b'{"nonce":"aa","source_name":"a\nb"}', 400, "not JSON"),
    "NUL in a name": (KIND, fields(source_data=GOOD64, source_name="a\0b"), 400, "control characters"),
    "NUL in a nonce": (KIND, raw('{"nonce":"aa\\u0000",%s}' % JSON_SOURCE), 400, "nonce"),
    "a name of 300 bytes": (KIND, fields(source_data=GOOD64, source_name="a" * 300), 400, "longer than 255"),
    "fields of 100 KB": (KIND, fields(source_data=GOOD64, more="a" * 100_000), 400, "longer than"),
    "a key of 100 KB": (KIND, fields(source_data=GOOD64, **{"a" * 100_000: 1}), 400, "longer than"),
    # base64
    "base64 of the address kind": (KIND, fields(source_data="-_-_"), 400, "alphabet"),
    "base64 with a space": (KIND, fields(source_data="QU JD"), 400, "alphabet"),
    "base64 that is not ASCII": (KIND, fields(source_data="QUJDé==="), 400, "base64"),
    "base64 without padding": (KIND, fields(source_data="QQ"), 400, "breaks off"),
    "base64 with half of its padding": (KIND, fields(source_data="QQ="), 400, "breaks off"),
    "base64 with padding alone": (KIND, fields(source_data="===="), 400, "padding"),
    "base64 with padding within": (KIND, fields(source_data="QQ==QUJD"), 400, "base64"),
    "base64 with stray bits": (KIND, fields(source_data="QR=="), 400, "bits"),
    "base64 with NUL": (KIND, fields(source_data="QUJD\0QUJD"), 400, "base64"),
    "an empty archive": (KIND, fields(source_data=""), 400, "empty"),
    "an archive of line ends": (KIND, fields(source_data="\r\n\r\n"), 400, "empty"),
    # The fields together
    "no nonce": (KIND, raw("{%s}" % JSON_SOURCE), 400, "nonce is missing"),
    "no source": (KIND, b'{"nonce":"aa"}', 400, "source is missing"),
    "two sources": (KIND, fields(source_data=GOOD64, repo_url="https://example.org/x"), 400, "two sources"),
    "a ref for an archive": (KIND, fields(source_data=GOOD64, repo_ref="main"), 400, "only with repo_url"),
    # Nonces
    "an empty nonce": (KIND, raw('{"nonce":"",%s}' % JSON_SOURCE), 400, "nonce"),
    "a nonce of one digit": (KIND, raw('{"nonce":"0",%s}' % JSON_SOURCE), 400, "nonce"),
    "a nonce of 33 digits": (KIND, raw('{"nonce":"%s",%s}' % ("a" * 33, JSON_SOURCE)), 400, "nonce"),
    "a nonce of 34 digits": (KIND, raw('{"nonce":"%s",%s}' % ("a" * 34, JSON_SOURCE)), 400, "17 bytes"),
    "a nonce of words": (KIND, raw('{"nonce":"zz",%s}' % JSON_SOURCE), 400, "hexadecimal"),
    "a nonce with 0x": (KIND, raw('{"nonce":"0xaa",%s}' % JSON_SOURCE), 400, "hexadecimal"),
    "a nonce with a space": (KIND, raw('{"nonce":"aa ",%s}' % JSON_SOURCE), 400, "hexadecimal"),
    "a nonce of other digits": (KIND, raw('{"nonce":"１２",%s}' % JSON_SOURCE), 400, "hexadecimal"),
    # Forms
    "a form without boundary": ("multipart/form-data", form(NONCE, SOURCE), 400, "boundary"),
    "a form with an empty boundary": ('multipart/form-data; boundary=""', form(NONCE, SOURCE), 400, "boundary"),
    "a form with two boundaries": (FORM + "; boundary=abc", form(NONCE, SOURCE), 415, "content type"),
    "a form with an open boundary": ('multipart/form-data; boundary="xyz', form(NONCE, SOURCE), 415, "content type"),
    "a boundary of 71 characters": ("multipart/form-data; boundary=" + "x" * 71, b"", 400, "boundary"),
    "a boundary of 60 KB": ("multipart/form-data; boundary=" + "x" * 60_000, b"", 400, "boundary"),
    "a boundary that the body does not have": ("multipart/form-data; boundary=abc", form(NONCE, SOURCE), 400, "breaks off"),
    "a form that breaks off": (FORM, form(NONCE, SOURCE, end=b""), 400, "breaks off"),
    "a form that breaks off in its archive": (FORM, form(NONCE, SOURCE, end=b"")[:-9], 400, "breaks off"),
    "a form with half of its end": (FORM, form(NONCE, SOURCE, end=b"--xyz-"), 400, "breaks off"),
    "a boundary that goes on": (FORM, form(NONCE, SOURCE, end=b"--xyzz--\r\n"), 400, "something else"),
    "a boundary with a tail of spaces": (FORM, b"--xyz" + b" " * 100 + b"\r\n", 400, "something else"),
    "a field twice": (FORM, form(NONCE, NONCE, SOURCE), 400, "twice"),
    "an archive twice in a form": (FORM, form(NONCE, SOURCE, SOURCE), 400, "twice"),
    "ref and repo_ref": (
        FORM, form(NONCE, field(b"repo_url", b"https://e.org/x"), field(b"ref", b"a"), field(b"repo_ref", b"b")), 400, "twice"),
    "headers of a part of 1 MB": (FORM, form((b"X-Long: " + b"x" * (1 << 20), b""), NONCE), 400, "headers longer"),
    "a field of 1 MB": (FORM, form(field(b"nonce", b"a" * (1 << 20)), SOURCE), 400, "longer than"),
    "1,000 parts": (FORM, form(*[field(b"f%d" % i) for i in range(1000)]), 400, "more than"),
    "a part without name": (FORM, form((b"Content-Disposition: form-data", b"aa")), 400, "content-disposition"),
    "a part of another kind": (FORM, form((b'Content-Disposition: attachment; name="nonce"', b"aa")), 400, "content-disposition"),
    "a part without headers": (FORM, b"--xyz\r\n\r\naa\r\n--xyz--\r\n", 400, "content-disposition"),
    "a part with two dispositions": (
        FORM, form((NONCE[0] + b'\r\nContent-Disposition: form-data; name="source"', b"aa")), 400, "content-disposition"),
    "a part with two names": (
        FORM, form((b'Content-Disposition: form-data; name="nonce"; name="source"', b"aa")), 400, "content-disposition"),
    "a name that is not closed": (FORM, form((b'Content-Disposition: form-data; name="nonce', b"aa")), 400, "content-disposition"),
    "a field that is not UTF-8": (FORM, form(field(b"nonce", b"\xff")), 400, "not UTF-8"),
    "a form within a form": (
        FORM, form((b'Content-Type: multipart/mixed; boundary=abc\r\n' + field(b"source")[0],
                    b"--abc\r\n" + NONCE[0] + b"\r\n\r\naa\r\n--abc--")), 400, "nonce is missing"),
    "a file name with NUL": (
        FORM, form(NONCE, (b'Content-Disposition: form-data; name="source"; filename="a\0b"', GOOD)), 400, "control"),
    "a file name of 300 bytes": (
        FORM, form(NONCE, (b'Content-Disposition: form-data; name="source"; filename="%s"' % (b"a" * 300), GOOD)), 400, "255"),
    "lines that end without CR": (FORM, form(NONCE, SOURCE).replace(b"\r\n", b"\n"), 400, "something else"),
}

HEX40 = "0" * 40
# Repositories that are none, or that git would take for something else: refused at once.
REPOSITORIES = {
    "a file": "file:///etc/passwd", "a path": "/etc", "a path of the home": "~/x", "a path up": "../x",
    "an option of ssh": "ssh://-oProxyCommand=touch${IFS}/tmp/x/x", "an option of git": "--upload-pack=touch /tmp/x",
    "a short option": "-c", "another transport": "ext::sh -c touch% /tmp/x", "descriptors": "fd::17/x",
    "git's own protocol": "git://example.org/x", "ssh": "ssh://example.org/x", "ssh without scheme": "git@example.org:x/y",
    "FTP": "ftp://example.org/x", "data": "data:,x", "a helper": "http::https://example.org/x",
    "a scheme with a line feed": "http\n://example.org/x", "no host": "https:///x", "no host but a port": "https://:80/x",
    "a user": "https://user@example.org/x", "a user and a password": "https://a:b@example.org/x",
    "a host in the user's place": "https://example.org@127.0.0.1/x", "a backslash": "https://example.org\\@127.0.0.1/x",
    "a host like an option": "https://-oProxyCommand=x/y", "a query": "https://example.org/x?a=b",
    "a fragment": "https://example.org/x#main", "a space": "https://example.org/x y", "a tab": "https://example.org/x\ty",
    "a line feed": "https://example.org/x\nhelper=!sh", "NUL": "https://example.org/x\0y",
    "a port that is none": "https://example.org:x/y", "a port beyond the last": "https://example.org:65536/y",
    "port 0": "https://example.org:0/y", "a negative port": "https://example.org:-1/y",
    "a name that is not ASCII": "https://exämple.org/x", "a dot of another script": "https://127。0。0。1/x",
    "digits in circles": "https://①②⑦.0.0.1/x", "a zone": "https://[fe80::1%25eth0]/x", "an escaped host": "https://%31%32%37.0.0.1/x",
    "2,049 bytes": "https://example.org/" + "x" * 2030, "an empty address": "",
}
REFS = {
    "an option": "--upload-pack=x", "a short option": "-x", "dots": "a..b", "a path up": "../../x", "a reflog": "main@{1}",
    "an at sign": "@", "a parent": "HEAD^", "an ancestor": "HEAD~1", "a file of a commit": "main:Cargo.toml", "a range": "a...b",
    "a pattern": "ma*n", "a bracket": "ma[i]n", "a question mark": "ma?n", "a backslash": "ma\\in", "a space": "ma in",
    "a tab": "ma\tin", "a line feed": "main\n-x", "NUL": "main\0", "DEL": "ma\x7fin", "a slash first": "/main", "a slash last": "main/",
    "two slashes": "a//b", "a dot first": ".main", "a dot last": "main.", "a lock": "main.lock", "a lock within": "a.lock/b",
    "a hidden part": "a/.b", "nothing": "", "256 bytes": "a" * 256,
}

# Addresses that only this machine and its neighbours reach: taken, since a name tells nothing, and refused by the build
# before anything is asked.
PRIVATE = {
    "127.1": "neither a name", "127.0.1": "neither a name", "0x7f.1": "neither a name", "0x7f.0.0.1": "neither a name",
    "0x7f000001": "neither a name", "2130706433": "neither a name", "017700000001": "neither a name", "0177.0.0.1": "usual form",
    "0": "neither a name", "127.0.0.1": "loopback", "127.255.255.254": "loopback", "0.0.0.0": "unspecified",
    "169.254.169.254": "link-local", "168.63.129.16": "metadata", "10.1.2.3": "private", "172.31.255.255": "private",
    "192.168.0.1": "private", "100.64.0.1": "carrier", "198.18.0.1": "benchmark", "224.0.0.1": "multicast", "255.255.255.255": "reserved",
    "localhost": "loopback", "LOCALHOST": "loopback", "localhost.": "neither a name", "127.0.0.1.": "neither a name", "[::1]": "loopback",
    "[::]": "unspecified", "[::ffff:127.0.0.1]": "loopback", "[::ffff:7f00:1]": "loopback", "[::ffff:a9fe:a9fe]": "link-local",
    "[::127.0.0.1]": "loopback", "[64:ff9b::7f00:1]": "loopback", "[2002:7f00:1::]": "loopback", "[fe80::1]": "link-local",
    "[fd00::1]": "private", "[fec0::1]": "private", "[ff02::1]": "multicast", "[2001:db8::1]": "documentation",
    "[fd00:ec2::254]": "private",
}


@pytest.fixture(scope="module")
def target():
    """A server that fetches from public addresses only, as they all do unless told otherwise."""
    with tempfile.TemporaryDirectory(prefix="cupel-test-", dir="/tmp") as path:
        os.chmod(path, 0o755)
        server = Server(pathlib.Path(path) / "data").start()
        yield server
        assert server.process.poll() is None, f"the server died: {server.log_text()}"
        server.terminate()


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left(target):
    """What a refused submission leaves, which is nothing: no upload, no job, no descriptor."""
    target.call("POST", "/build", fields(), {"content-type": KIND})
    open_at_start, jobs_at_start = descriptors(target.process), len(os.listdir(target.data / "jobs"))
    target.accepted = 0
    yield
    assert left_behind(target.data) == []
    assert len(os.listdir(target.data / "jobs")) - jobs_at_start == target.accepted, "a refused submission left a job"
    assert settled_descriptors(target.process, open_at_start + 4) <= open_at_start + 4


def assert_refused(target, kind, body, status, words, path="/build"):
    got, headers, answer = target.call("POST", path, body, {"content-type": kind} if kind else {})
    assert got == status and headers["content-type"] == "application/json", (got, answer)
    refusal = json.loads(answer)
    assert list(refusal) == ["status", "error", "error_type"] and refusal["status"] == "failed", refusal
    assert refusal["error_type"] == "InvalidRequestError" and words in refusal["error"], refusal
    assert "\n" not in refusal["error"] and len(refusal["error"]) < 400, refusal


@pytest.mark.parametrize("name", REFUSED)
def test_a_body_that_lies_is_refused(target, name):
    assert_refused(target, *REFUSED[name])


@pytest.mark.parametrize("name", REPOSITORIES)
def test_a_repository_that_is_none_is_refused(target, name):
    for body in (fields(repo_url=REPOSITORIES[name]), ):
        assert_refused(target, KIND, body, 400, "repo_url")
    assert_refused(target, FORM, form(NONCE, field(b"repo_url", REPOSITORIES[name].encode())), 400, "repo_url")


@pytest.mark.parametrize("name", REFS)
def test_a_ref_that_git_would_take_for_more_is_refused(target, name):
    assert_refused(target, KIND, fields(repo_url="https://example.org/x", repo_ref=REFS[name]), 400, "repo_ref")
    parts = [NONCE, field(b"repo_url", b"https://example.org/x"), field(b"ref", REFS[name].encode())]
    assert_refused(target, FORM, form(*parts), 400, "repo_ref")


@pytest.mark.parametrize("query, words", [
    ("", "nonce is missing"), ("?nonce=", "nonce must be"), ("?nonce=aa&nonce=bb", "twice"), ("?nonce=%6", "hexadecimal digits"),
    ("?nonce=%ff", "UTF-8"), ("?nonce=aa&source_name=%00", "control"), ("?nonce=aa&source_name=" + "a" * 300, "255"),
])
def test_a_query_that_lies_is_refused(target, query, words):
    assert_refused(target, "application/gzip", GOOD, 400, words, "/build" + query)


@pytest.mark.parametrize("kind", [KIND, FORM, "application/zip"])
def test_10_GiB_that_are_announced_are_refused_before_they_are_sent(target, kind):
    head = (f"POST /build?nonce=aa HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {10 << 30}\r\n")
    for expect in ("", "Expect: 100-continue\r\n"):
        with connect(target.port) as connection:
            connection.sendall(f"{head}{expect}\r\n".encode())
            answer = connection.recv(1 << 16)
        assert answer.startswith(b"HTTP/1.1 413 ") and b"upload_size" in answer, answer


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "identity, gzip", "x"])
def test_a_body_that_is_compressed_is_refused_unread(target, coding):
    bomb = gzip.compress(bytes(50 << 20))
    status, _, answer = target.call("POST", "/build", bomb, {"content-type": KIND, "content-encoding": coding})
    assert status == 415 and b"as it is" in answer, answer


def zipped(name, body):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, body)
    return out.getvalue()


def bomb():
    """A gzip stream of a gigabyte of zeros."""
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9) as stream:
        entry = tarfile.TarInfo("zeros")
        entry.size = 1 << 30
        stream.write(entry.tobuf())
        for _ in range(1024):
            stream.write(bytes(1 << 20))
    return out.getvalue()


@pytest.mark.parametrize("name, archive, kind", [
    ("a bomb", bomb, "ResourceLimitError"), ("a zip bomb", lambda: zipped("zeros", bytes(1 << 28)), "ResourceLimitError"),
    ("no archive", lambda: b"not an archive", "SourceError"), ("half an archive", lambda: GOOD[:len(GOOD) // 2], "SourceError"),
    ("a name that leads out", lambda: zipped("../../../../tmp/cupel-planted", b"x"), "SourceError"),
    ("an archive of nothing", lambda: tarball({}), "SourceError UnsupportedToolchainError"),
])
def test_an_archive_that_lies_ends_in_a_failed_build(target, name, archive, kind):
    job, _, outcome = target.build(archive())
    target.accepted += 1
    assert outcome["status"] == "failed" and outcome["error_type"] in kind.split() and outcome["error"], outcome
    assert target.result(job)[0] == 404 and not os.path.exists("/tmp/cupel-planted")


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_addresses_of_this_machine_are_never_asked(target):
    """39 spellings of private addresses, each with the port of a server here that would notice."""
    with socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True) as listener:
        listener.settimeout(0.2)
        port = listener.getsockname()[1]
        jobs = {host: target.submit_git(f"http://{host}:{port}/x.git") for host in PRIVATE}
        target.accepted += len(jobs)
        for host, words in PRIVATE.items():
            outcome = target.events(jobs[host])[-1]["result"]
            assert outcome["status"] == "failed" and outcome["error_type"] == "SourceError", (host, outcome)
            assert words in outcome["error"], (host, outcome)
        with pytest.raises(TimeoutError):
            listener.accept()


def listening(seen):
    """A server of this machine that notes what it is asked, and sends whoever asks on to `to`, where that is set."""
    class Notes(http.server.BaseHTTPRequestHandler):
        to = None

        def do_GET(self):
            seen.append(self.path)
            self.send_response(302 if self.to else 404)
            if self.to:
                self.send_header("Location", self.to + self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Notes)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    return made, Notes


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a server other host names")
def test_names_that_lead_to_this_machine_are_never_asked(folder):
    skip_where_nothing_can_be_mounted()
    hosts = {"inside.example": ["127.0.0.1"], "metadata.example": ["169.254.169.254"], "six.example": ["::1"],
             "both.example": ["93.184.215.14", "127.0.0.1"], "mapped.example": ["::ffff:10.0.0.1"]}
    (folder / "hosts").write_text("".join(f"{address} {name}\n" for name, all_ in hosts.items() for address in all_))
    server = Server(folder / "data")
    server.prefix = ["unshare", "--mount", "sh", "-c", f"mount --bind {folder}/hosts /etc/hosts && exec \"$@\"", "sh"]
    server.start()
    seen = []
    listener, _ = listening(seen)
    try:
        jobs = {name: server.submit_git(f"http://{name}:{listener.server_port}/x.git") for name in hosts}
        for name, job in jobs.items():
            outcome = server.events(job)[-1]["result"]
            assert outcome["error_type"] == "SourceError" and "from which nothing is fetched" in outcome["error"], (name, outcome)
        assert seen == []
    finally:
        listener.shutdown()
        server.terminate()


def test_a_redirect_is_not_followed(server):
    """Also where private sources are allowed: what a name leads to was looked at, and not what comes after it."""
    seen, reached = [], []
    first, notes = listening(seen)
    second, _ = listening(reached)
    notes.to = f"http://127.0.0.1:{second.server_port}"
    try:
        outcome = server.events(server.submit_git(f"http://127.0.0.1:{first.server_port}/x.git"))[-1]["result"]
    finally:
        first.shutdown()
        second.shutdown()
    assert outcome["status"] == "failed" and outcome["error_type"] == "SourceError", outcome
    assert seen and not reached


@pytest.mark.parametrize("name, url, path", [
    ("a file", "file:///etc", "sub"), ("a path", "/etc", "sub"), ("a command", "ext::sh -c touch% /tmp/cupel-planted", "sub"),
    ("an option", "--upload-pack=touch /tmp/cupel-planted", "sub"), ("git's protocol", "git://127.0.0.1/x", "sub"),
    ("ssh", "ssh://-oProxyCommand=touch${IFS}/tmp/cupel-planted/x", "sub"), ("descriptors", "fd::0", "sub"),
    ("a place outside", "{here}/hello.git", "../sub"), ("the repository itself", "{here}/hello.git", ".git/hooks"),
    ("an option as place", "{here}/hello.git", "-x"),
])
def test_a_submodule_that_leads_elsewhere_is_refused(server, folder, repositories, name, url, path):  # noqa: F811
    served, here = repositories
    publish(commit_repository(folder, "hello", project({})), served, "hello")
    url = url.format(here=here, IFS="${IFS}") if "{here}" in url else url
    work = commit_repository(folder, "parent", project({
        ".gitmodules": f'[submodule "sub"]\n\tpath = {path}\n\turl = {url}\n'}))
    if path == "sub":
        git(work, "update-index", "--add", "--cacheinfo", f"160000,{git(work, 'rev-parse', 'HEAD')},sub")
        git(work, "commit", "-qm", "a link")
    publish(work, served, "parent")
    job = server.submit_git(f"{here}/parent.git")
    events = server.events(job)
    outcome = events[-1]["result"]
    assert outcome["status"] == "ok" or outcome["error_type"] == "SourceError", outcome
    # What is no link of the commit is no submodule, whatever .gitmodules says of it.
    assert (outcome["status"] == "ok") == (path != "sub"), outcome
    assert not os.path.exists("/tmp/cupel-planted")
