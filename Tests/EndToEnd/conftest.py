# SPDX-License-Identifier: Apache-2.0
"""Shared pieces of the end-to-end tests: the release binary, servers on free ports, projects, and a small client.

The tests talk to `cupel` only as its users do: by command line and by HTTP."""
import base64
import contextlib
import hashlib
import http.client
import io
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import subprocess
import tarfile
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CUPEL = pathlib.Path(os.environ.get("CUPEL_BINARY", ROOT / ".build/release/cupel"))
SHARED = pathlib.Path(os.environ.get("CUPEL_SHARED", ROOT.parent / "shared"))
# More of everything that chance decides or that takes long.
THOROUGH = os.environ.get("CUPEL_THOROUGH") == "1"
# What chance decides is the same in each run, but for thorough ones, which print theirs.
SEED = int(os.environ.get("CUPEL_SEED") or (secrets.randbits(32) if THOROUGH else 1))


# Settings of whoever runs the tests must not reach what is tested, nor must the hardware that the tests run on.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("CUPEL_")}
ENVIRONMENT["CUPEL_ATTESTER"] = "software"
# What was fetched before on this machine decides nothing here.
CACHE = tempfile.TemporaryDirectory(prefix="cupel-test-cache-")
ENVIRONMENT["XDG_CACHE_HOME"] = CACHE.name


class Server:
    """One `cupel serve` on a port of its own choice, over one data folder that outlives it."""
    # A command that becomes the server: as another user, say, or in namespaces of its own.
    prefix = ()

    def __init__(self, data, *options, environment=None):
        self.data, self.options = data, options
        self.environment = {**ENVIRONMENT, **(environment or {})}
        self.process = None
        self.port = None

    def start(self):
        command = [*self.prefix, CUPEL, "serve", "--port", "0", "--data", self.data, *self.options]
        self.log = open(self.data.parent / f"{self.data.name}.log", "ab")
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self.log, env=self.environment, text=True)
        # Standard output begins with one line: the address that is served.
        line = self.process.stdout.readline()
        match = re.search(r"http://[^:]+:(\d+)", line)
        assert match, f"cupel serve did not start: {line!r} {self.log_text()}"
        self.port = int(match[1])
        return self

    def log_text(self):
        return pathlib.Path(self.log.name).read_text(errors="replace")[-4000:]

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def terminate(self, timeout=60):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout)
        self.process.stdout.close()
        return status

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def call(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            response = connection.getresponse()
            return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
        finally:
            connection.close()

    def submit(self, archive, name="project.tar.gz", nonce=None):
        body = {"nonce": nonce or secrets.token_hex(16), "source_name": name,
                "source_data": base64.b64encode(archive).decode()}
        status, _, answer = self.call("POST", "/build", json.dumps(body), {"content-type": "application/json"})
        assert status == 202, (status, answer)
        return json.loads(answer)["job_id"]

    def submit_git(self, url, ref=None, nonce=None):
        body = {"nonce": nonce or secrets.token_hex(16), "repo_url": url}
        if ref:
            body["repo_ref"] = ref
        status, _, answer = self.call("POST", "/build", json.dumps(body), {"content-type": "application/json"})
        assert status == 202, (status, answer)
        return json.loads(answer)["job_id"]

    @contextlib.contextmanager
    def stream(self, job, start=0):
        """The response of an event stream, to be read line by line."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        connection.request("GET", f"/build/{job}/events?from={start}")
        response = connection.getresponse()
        assert response.status == 200, response.status
        try:
            yield response
        finally:
            connection.close()

    def raw_events(self, job, start=0):
        """The bytes of the stream until the server ends it, comments dropped."""
        with self.stream(job, start) as response:
            body = response.read()
        return b"".join(block + b"\n\n" for block in body.split(b"\n\n") if block and not block.startswith(b":"))

    def events(self, job, start=0):
        return parse_events(self.raw_events(job, start))

    def result(self, job):
        return self.call("GET", f"/build/{job}/result")

    def build(self, archive, **fields):
        """Builds and returns (job, events, outcome)."""
        job = self.submit(archive, **fields)
        events = self.events(job)
        return job, events, events[-1]["result"]


def parse_events(raw):
    return [json.loads(block[len(b"data: "):]) for block in raw.split(b"\n\n") if block.startswith(b"data: ")]


def log_of(events):
    return "\n".join(e["msg"] for e in events if e["type"] == "build")


def cupel(*arguments, check=None, cwd=None, env=None, timeout=600):
    """Runs the command line tool; `check` is the exit status that is expected."""
    done = subprocess.run([CUPEL, *map(str, arguments)], capture_output=True, text=True, cwd=cwd,
                          env={**ENVIRONMENT, **(env or {})}, timeout=timeout)
    if check is not None:
        assert done.returncode == check, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def project(files, name="probe"):
    """The files of a small Cargo package without dependencies; `files` adds to them or replaces them."""
    return {
        "Cargo.toml": f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2021"\n',
        "Cargo.lock": f'version = 3\n\n[[package]]\nname = "{name}"\nversion = "0.1.0"\n',
        "src/main.rs": 'fn main() { println!("hello"); }\n',
        **files,
    }


def tarball(files, top=None):
    """A gzip-compressed tar file of `files`: path to text, bytes or TarInfo."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for path, body in files.items():
            if isinstance(body, tarfile.TarInfo):
                archive.addfile(body)
                continue
            if isinstance(body, str):
                body = body.encode()
            entry = tarfile.TarInfo(f"{top}/{path}" if top else path)
            entry.size = len(body)
            entry.mode = 0o755 if path.endswith(".sh") else 0o644
            archive.addfile(entry, io.BytesIO(body))
    return out.getvalue()


def unpack(result):
    """path -> bytes of a result tarball, without its top folder."""
    with tarfile.open(fileobj=io.BytesIO(result), mode="r:gz") as archive:
        return {m.name.split("/", 1)[1]: archive.extractfile(m).read() for m in archive if m.isfile()}


def sha256(body):
    return hashlib.sha256(body).hexdigest()


def skip_where_nothing_can_be_mounted():
    """Root may lack that right, in a container for one."""
    command = ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/tmp"]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("file systems cannot be mounted here")


@pytest.fixture
def folder():
    """A folder that every user may reach, as the build users must; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="cupel-test-", dir="/tmp") as path:
        os.chmod(path, 0o755)
        yield pathlib.Path(path)


@pytest.fixture
def new_server(folder):
    """Makes servers; those that still run at the end are killed."""
    servers = []

    def make(*options, data=None, environment=None):
        server = Server(data or folder / f"data{len(servers)}", *options, environment=environment)
        servers.append(server)
        return server.start()

    yield make
    for server in servers:
        if server.process and server.process.poll() is None:
            server.kill()


@pytest.fixture(scope="session")
def server():
    """One server for all tests that do not stop it."""
    with tempfile.TemporaryDirectory(prefix="cupel-test-", dir="/tmp") as path:
        os.chmod(path, 0o755)
        shared = Server(pathlib.Path(path) / "data", "--allow-private-sources").start()
        yield shared
        assert shared.process.poll() is None, f"the server died: {shared.log_text()}"
        shared.terminate()


@pytest.fixture(scope="session")
def bundle(server):
    """A good small build: (folder of the unpacked bundle, nonce). Copy it before changing it."""
    nonce = secrets.token_hex(16)
    job, _, outcome = server.build(tarball(project({}), top="probe"), nonce=nonce)
    assert outcome == {"status": "ok"}, outcome
    status, _, body = server.result(job)
    assert status == 200
    with tempfile.TemporaryDirectory(prefix="cupel-test-", dir="/tmp") as path:
        with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as archive:
            archive.extractall(path)
        yield pathlib.Path(path) / "probe", nonce


@pytest.fixture(scope="session")
def crates_bundle(server):
    """The bundle of Examples/word-count, which has crates, as a folder. Copy it before changing it."""
    with tempfile.TemporaryDirectory(prefix="cupel-test-", dir="/tmp") as path:
        project = pathlib.Path(path) / "word-count"
        shutil.copytree(ROOT / "Examples/word-count", project, ignore=shutil.ignore_patterns("vendor", "target"))
        subprocess.run([project / "vendor-from-debian", project], check=True, stdout=subprocess.DEVNULL)
        cupel("build", project, "--server", server.url, "--output", f"{path}/out", check=0)
        yield pathlib.Path(path) / "out/word-count"


@pytest.fixture(scope="session")
def independent_python():
    """Runs a script in a Python that has other people's implementations of what Cupel writes, and returns what it printed,
    which is JSON. Where PyPI cannot be reached the test is skipped."""
    made = subprocess.run([ROOT / "Scripts/test-python"], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"Scripts/test-python failed, PyPI may be out of reach: {made.stderr.strip().splitlines()[-1:]}")

    def run(script, *arguments):
        done = subprocess.run([made.stdout.strip(), "-c", script, *map(str, arguments)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="session")
def outside():
    """Listens where no build may come."""
    from probe_sites import open_outside
    yield from open_outside()


@pytest.fixture(scope="session")
def confined(outside):
    """A service that builds probes in the sandbox."""
    from probe_sites import open_site
    yield from open_site(outside, is_confined=True)


@pytest.fixture(scope="session")
def unconfined(outside):
    """A service that builds probes without a sandbox, where they must bite."""
    from probe_sites import open_site
    yield from open_site(outside, is_confined=False)


@pytest.fixture(scope="session")
def guest_image():
    """The folder of a guest image, as `cupel image build` makes it. Never write into its files."""
    import guest_images
    with tempfile.TemporaryDirectory(prefix="cupel-image-", dir="/var/tmp") as path:
        os.chmod(path, 0o755)
        yield guest_images.build(pathlib.Path(path))


@pytest.fixture(scope="session")
def stage(guest_image, request):
    """Builds in machines that several tests look at: those that the tests of this run want."""
    from machine_scenes import SCENES, open_stage
    wanted = {name.removesuffix("_scene") for item in request.session.items for name in item.fixturenames}
    wanted |= {str(value) for item in request.session.items if hasattr(item, "callspec")
               for value in item.callspec.params.values()}
    yield from open_stage(guest_image, wanted & set(SCENES))


@pytest.fixture(scope="session")
def cargo_scene(stage):
    """A Cargo package that was built in a machine."""
    return stage["cargo"]


@pytest.fixture(scope="session")
def machine_acceptance(stage):
    """What a verifier names who knows the image of these tests, and the operator's machines."""
    return stage["cargo"].notes["acceptance"]


@pytest.fixture(scope="session")
def cloned_scene(stage):
    """A flake that a machine cloned from a git server."""
    return stage["cloned"]


def pytest_terminal_summary(terminalreporter):
    """Says how many attacks on the sandbox there were."""
    from probes import summary
    lines = summary()
    if lines:
        terminalreporter.section("probes of the sandbox")
        for line in lines:
            terminalreporter.write_line(line)
