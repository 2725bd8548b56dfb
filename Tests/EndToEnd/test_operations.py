# SPDX-License-Identifier: Apache-2.0
"""What an operator and a requester do around a build: cancel it, ask for its state, limit clients, keep no more than there
is room for; and the files with which the service is installed."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

from conftest import CUPEL, ENVIRONMENT, ROOT, cupel, project, skip_where_nothing_can_be_mounted, tarball
from nix_flakes import build_maker, needs_nix, make, write_flake

ENDLESS = {"build.rs": 'fn main() { eprintln!("begun"); loop { std::thread::sleep(std::time::Duration::from_secs(1)); } }'}
PACKAGING = ROOT / "packaging"
# Most builds that are cancelled end within a few tenths of a second; machines may be busy.
SOON = 30


def processes(*words):
    """Command lines of processes that mention one of the words."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if any(str(word) in line for word in words) and "serve --port" not in line and str(os.getpid()) != path.parts[2]:
            found.append(line)
    return found


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def cancel(server, job):
    """Cancels and checks everything that is promised of it. Returns the events."""
    begun = time.monotonic()
    status, headers, body = server.call("DELETE", f"/build/{job}")
    took = time.monotonic() - begun
    state = json.loads(body)
    assert status == 200 and headers["content-type"] == "application/json", body
    assert took < SOON, took
    assert state["status"] == "failed" and state["error_type"] == "CancelledError" and state["job_id"] == job
    assert re.fullmatch(r"cancelled by the requester at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", state["error"]), state
    # By now nothing of it is left.
    assert not (server.data / "workspaces" / job).exists()
    assert not processes(server.data / "workspaces" / job)
    folder = server.data / "jobs" / job
    assert {path.name for path in folder.iterdir()} == {"events.sse"}
    events = server.events(job)
    assert sum(event["type"] == "complete" for event in events) == 1
    assert events[-1]["result"] == {name: state[name] for name in ("status", "error", "error_type")}
    assert server.result(job)[0] == 404
    status, _, again = server.call("DELETE", f"/build/{job}")
    assert status == 200 and json.loads(again)["error"] == state["error"]
    return events


def read_until(server, job, text):
    """Returns when the stream has brought `text`."""
    with server.stream(job) as response:
        seen = ""
        while text not in seen:
            line = response.readline().decode()
            assert line, seen
            seen += line


class SilentServer:
    """Takes connections, and answers nothing for as long as the test lasts."""

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.taken = threading.Event()
        self.connections = []
        threading.Thread(target=self.take, daemon=True).start()
        return self

    def take(self):
        try:
            while True:
                self.connections.append(self.socket.accept()[0])
                self.taken.set()
        except OSError:
            pass

    @property
    def url(self):
        return f"http://127.0.0.1:{self.socket.getsockname()[1]}"

    def __exit__(self, *_):
        for connection in [*self.connections, self.socket]:
            connection.close()


@pytest.fixture
def line(new_server):
    """A server that builds one job at a time."""
    return new_server("--concurrency", "1", "--allow-private-sources")


def test_a_build_is_cancelled_while_it_waits(line):
    running = line.submit(tarball(project(ENDLESS), top="probe"))
    waiting = line.submit(tarball(project({}), top="probe"))
    behind = line.submit(tarball(project({}), top="probe"))
    state = json.loads(line.call("GET", f"/build/{behind}")[2])
    assert state["status"] == "queued" and state["position"] == 1
    events = cancel(line, waiting)
    assert [event["type"] for event in events] == ["queued", "complete"]
    assert json.loads(line.call("GET", f"/build/{behind}")[2])["position"] == 0
    cancel(line, running)
    assert line.events(behind)[-1]["result"] == {"status": "ok"}


def test_a_build_is_cancelled_while_it_clones(line):
    with SilentServer() as git:
        job = line.submit_git(f"{git.url}/project.git")
        assert git.taken.wait(30)
        assert [event["type"] for event in cancel(line, job)] == ["queued", "complete"]


def test_a_build_is_cancelled_while_it_unpacks(line):
    """Of many files, so that it takes a while."""
    files = {f"src/{folder}/{name}": b"" for folder in range(200) for name in range(300)}
    job = line.submit(tarball(project(files), top="probe"))
    wait_for(lambda: len(list((line.data / "workspaces").glob(f"{job}/source/*/src/*"))) > 3)
    cancel(line, job)


def test_a_build_is_cancelled_while_it_fetches(line):
    """The registry of a dependency never answers."""
    with SilentServer() as registry:
        source = f"sparse+{registry.url}/"
        job = line.submit(tarball(project({
            "Cargo.toml": '[package]\nname = "probe"\nversion = "0.1.0"\nedition = "2021"\n\n'
                          '[dependencies]\nx = { version = "1", registry = "far" }\n',
            "Cargo.lock": 'version = 3\n\n[[package]]\nname = "probe"\nversion = "0.1.0"\ndependencies = ["x"]\n\n'
                          f'[[package]]\nname = "x"\nversion = "1.0.0"\nsource = "{source}"\nchecksum = "{"0" * 64}"\n',
            ".cargo/config.toml": f'[registries.far]\nindex = "{source}"\n',
        }), top="probe"))
        assert registry.taken.wait(30), line.events(job)
        assert "init" in [event["type"] for event in cancel(line, job)]


def test_a_build_is_cancelled_while_it_builds(line):
    """Also one that ignores signals and has left its session: everything of it is killed."""
    stubborn = r"""
use std::process::Command;
fn main() {
    let script = "trap '' TERM INT HUP; while true; do sleep 1; done & exec 2>&1; sleep 999";
    for _ in 0..3 { Command::new("/usr/bin/setsid").args(["-f", "/bin/sh", "-c", script]).spawn().unwrap(); }
    println!("cargo:warning=begun");
    eprintln!("begun");
    loop { std::thread::sleep(std::time::Duration::from_secs(1)); }
}
"""
    job = line.submit(tarball(project({"build.rs": stubborn}), top="probe"))
    read_until(line, job, "Compiling probe")
    wait_for(lambda: len(processes("trap '' TERM INT HUP")) >= 3)
    cancel(line, job)
    assert not processes("trap '' TERM INT HUP")
    # The place and the build user are free.
    assert line.build(tarball(project({}), top="probe"))[2] == {"status": "ok"}


@needs_nix
def test_a_build_of_nix_is_cancelled(line, folder):
    """Which has a sandbox, and users, within the sandbox."""
    flake = write_flake(folder / "flake", make("plain", "wait", "600"), maker=build_maker(folder))
    files = {str(path.relative_to(flake)): path.read_bytes() for path in flake.rglob("*") if path.is_file()}
    entry = {}
    for name, body in files.items():
        entry[name] = body
    job = line.submit(tarball(entry, top="flake"))
    read_until(line, job, "building")
    cancel(line, job)
    assert line.build(tarball(project({}), top="probe"))[2] == {"status": "ok"}


def test_a_build_is_cancelled_while_its_result_is_packed(line):
    """An artifact of some size, which does not compress."""
    job = line.submit(tarball(project({
        "src/main.rs": "static NOISE: &[u8] = include_bytes!(\"../noise\");\nfn main() { println!(\"{}\", NOISE.len()); }\n",
        "noise": os.urandom(60 << 20),
    }), top="probe"))
    read_until(line, job, "Generating provenance")
    status, _, body = line.call("DELETE", f"/build/{job}")
    events = line.events(job)
    if status == 409:
        # It was quicker: then it is a good build like any other.
        assert events[-1]["result"] == {"status": "ok"} and line.result(job)[0] == 200
        return
    assert status == 200 and events[-1]["result"]["error_type"] == "CancelledError", body
    cancel(line, job)


def test_an_acknowledged_cancel_outlives_a_crash(new_server, folder):
    data = folder / "data"
    server = new_server("--concurrency", "1", data=data)
    jobs = [server.submit(tarball(project(ENDLESS), top="probe")) for _ in range(3)]
    read_until(server, jobs[0], "Compiling probe")
    streams = {}
    for job in (jobs[1], jobs[0]):
        assert server.call("DELETE", f"/build/{job}")[0] == 200
        streams[job] = server.raw_events(job)
    server.kill()
    server = new_server("--concurrency", "1", data=data)
    for job, raw in streams.items():
        assert server.raw_events(job) == raw
        assert server.call("DELETE", f"/build/{job}")[0] == 200
    cancel(server, jobs[2])


def test_what_is_over_or_unknown_is_not_cancelled(server, bundle):
    job, events, outcome = server.build(tarball({"README": "no project"}, top="x"))
    assert outcome["error_type"] == "UnsupportedToolchainError"
    status, headers, body = server.call("DELETE", f"/build/{job}")
    assert status == 409 and json.loads(body)["status"] == "failed" and server.events(job) == events
    assert server.call("DELETE", f"/build/{'0' * 32}")[0] == 404
    status, headers, _ = server.call("PUT", f"/build/{job}")
    assert status == 405 and headers["allow"] == "GET, HEAD, DELETE"


def interrupt_when(process, text):
    """Reads standard error until it holds `text`, then does what Ctrl-C does."""
    said = ""
    while text not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    process.send_signal(signal.SIGINT)
    return said


def test_an_interrupted_client_cancels_its_build(line, folder):
    source = folder / "probe"
    for path, body in project(ENDLESS).items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(body)
    command = [CUPEL, "build", source, "--server", line.url, "--output", folder / "out"]
    client = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    interrupt_when(client, "Compiling probe")
    said = client.stderr.read()
    assert client.wait(SOON) == 130
    job = re.search(r"interrupted; job (\w+) is cancelled", said)
    assert job and "interrupt again to leave" in said, said
    assert line.events(job[1])[-1]["result"]["error_type"] == "CancelledError"
    assert not list((folder / "out").iterdir())


def test_the_state_of_a_job_is_told(line):
    job = line.submit(tarball(project({}), top="probe"))
    events = line.events(job)
    wait_for(lambda: "finished_at" in json.loads(line.call("GET", f"/build/{job}")[2]))
    status, headers, body = line.call("GET", f"/build/{job}")
    state = json.loads(body)
    size = len(line.result(job)[2])
    assert status == 200
    assert {name: state[name] for name in ("job_id", "status", "events", "attempt", "result_size")} == {
        "job_id": job, "status": "ok", "events": len(events), "attempt": 1, "result_size": size}
    assert state["created_at"] <= state["started_at"] <= state["finished_at"]
    status, head, body = line.call("HEAD", f"/build/{job}")
    assert status == 200 and not body and head["content-length"] == headers["content-length"]


def test_what_is_too_old_is_removed_at_the_start_and_what_waits_is_not(new_server, folder):
    data = folder / "data"

    def start(age):
        # A stop at once puts what runs back in line.
        return new_server("--concurrency", "1", data=data,
                          environment={"CUPEL_GRACE_SECONDS": "0", "CUPEL_RETENTION_AGE": age})

    server = start("none")
    old = server.build(tarball({"README": "no project"}, top="x"))[0]
    ended = time.monotonic()
    running = server.submit(tarball(project(ENDLESS), top="probe"))
    waiting = server.submit(tarball(project({}), top="probe"))
    read_until(server, running, "Compiling probe")
    server.terminate()
    server = start("30 days")
    assert server.call("GET", f"/build/{old}")[0] == 200
    server.terminate()
    wait_for(lambda: time.monotonic() - ended > 2.5)
    server = start("1 second")
    wait_for(lambda: not (data / "jobs" / old).exists())
    for path in ("", "/events", "/result"):
        assert server.call("GET", f"/build/{old}{path}")[0] == 404
    assert server.call("DELETE", f"/build/{old}")[0] == 404
    assert (data / "jobs" / running).exists() and (data / "jobs" / waiting).exists()
    cancel(server, running)
    assert server.events(waiting)[-1]["result"] == {"status": "ok"}


def test_clients_behind_a_proxy_are_limited_one_by_one(new_server):
    server = new_server("--concurrency", "1", environment={
        "CUPEL_CLIENT_ADDRESS_HEADER": "X-Forwarded-For", "CUPEL_CLIENT_JOBS": "2", "CUPEL_CLIENT_READERS": "1"})
    body = json.dumps({"nonce": "00", "repo_url": "http://192.0.2.1/x.git"})

    def submit(address=None):
        headers = {"content-type": "application/json"}
        return server.call("POST", "/build", body, {**headers, **({"x-forwarded-for": address} if address else {})})

    blocker = server.submit(tarball(project(ENDLESS), top="probe"))
    assert [submit("198.51.100.1")[0] for _ in range(3)] == [202, 202, 429]
    status, headers, answer = submit("127.0.0.1, 198.51.100.1")
    assert status == 429 and int(headers["retry-after"]) > 0 and "client.jobs" in json.loads(answer)["error"]
    assert [submit(f"2001:db8::{number}")[0] for number in range(1, 4)] == [202, 202, 429], "one /64 is one client"
    assert submit("2001:db8:0:1::1")[0] == 202
    assert [submit()[0] for _ in range(4)] == [202] * 4, "this machine has no limits"
    cancel(server, blocker)


# The files with which the service is installed.


def unit():
    """Directive to its values, of the service's section."""
    found = {}
    for text in (PACKAGING / "cupel.service").read_text().splitlines():
        if match := re.match(r"(\w+)=(.*)", text):
            found.setdefault(match[1], []).append(match[2])
    return found


needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"),
                                   reason="systemd-analyze is missing; Scripts/requirements tests installs it")


@needs_systemd
def test_systemd_takes_the_unit(folder):
    text = (PACKAGING / "cupel.service").read_text()
    assert "/usr/local/bin/cupel serve" in text
    (folder / "cupel.service").write_text(text.replace("/usr/local/bin/cupel", str(CUPEL)))
    done = subprocess.run(["systemd-analyze", "verify", folder / "cupel.service"], capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, done.stderr
    # What is left open is what the sandbox needs; the unit says why.
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=51", "--no-pager",
                           folder / "cupel.service"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-300:]
    grace = int(re.search(r"# grace_seconds = (\d+)", cupel("serve", "--print-config").stdout)[1])
    assert int(unit()["TimeoutStopSec"][0]) > grace + 20


def test_each_absent_restriction_is_absent_for_a_reason():
    text = (PACKAGING / "cupel.service").read_text()
    reasons = re.findall(r"^#   (\w+)", text.partition("# What is not here, and why:")[2], re.M)
    assert len(reasons) > 8 and not set(reasons) - {"SystemCallFilter"} & set(unit()), reasons


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give rights away")
def test_builds_work_with_what_the_unit_leaves_of_root(folder):
    """As far as it goes without systemd: the capabilities, no new privileges, the umask, a machine that is read-only but
    for the data folder, no homes but the toolchains, and another /tmp."""
    skip_where_nothing_can_be_mounted()
    capabilities = [name.removeprefix("CAP_").lower() for name in unit()["CapabilityBoundingSet"][0].split()]
    state = folder / "state"
    state.mkdir(mode=0o711)
    source = folder / "probe"
    for path, body in project({}).items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(body)
    home = pathlib.Path(os.environ.get("RUSTUP_HOME") or pathlib.Path.home() / ".rustup")
    script = f"""
        set -e
        mkdir {folder}/rustup
        [ ! -d {home} ] || mount --bind {home} {folder}/rustup
        mount --bind {state} {state}
        mount -t tmpfs tmpfs /home
        mount -t tmpfs tmpfs /root
        mount -o remount,bind,ro /
        umask {unit()["UMask"][0]}
        export TMPDIR={state} RUSTUP_HOME={folder}/rustup
        cd {state}
        exec setpriv --no-new-privs --bounding-set -all,{",".join("+" + name for name in capabilities)} \\
            {folder}/cupel build {source} --output {state}/out
    """
    shutil.copy(CUPEL, folder / "cupel")
    done = subprocess.run(["unshare", "--mount", "bash", "-c", script], capture_output=True, text=True, timeout=120,
                          env={**ENVIRONMENT, "HOME": "/nonexistent"})
    assert done.returncode == 0, done.stderr
    provenance = json.loads((state / "out/probe/provenance.json").read_bytes())
    sandbox = provenance["predicate"]["buildDefinition"]["internalParameters"]["sandbox"]
    assert sandbox["isolation"] != "none", sandbox


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("nft"),
                    reason="needs root, and nft; Scripts/requirements tests installs it")
def test_the_firewall_lets_the_server_reach_machines_and_machines_not_the_host(folder):
    """In a network of its own, with a user of a machine's range and one that is none."""
    rules = (PACKAGING / "machines.nft").read_text()
    first, last = map(int, re.search(r"skuid != (\d+)-(\d+)", rules).groups())
    told = (ROOT / "docs/operate.md").read_text()
    assert str(first) in told and str(last) in told
    script = r"""
        ip link set lo up
        ip address add 203.0.113.1/32 dev lo
        nft -f "$1"
        serve() { setpriv --reuid="$1" --clear-groups /usr/bin/python3 -c '
        import socket, sys
        listener = socket.create_server(("0.0.0.0", 0))
        print(listener.getsockname()[1], flush=True)
        while True: listener.accept()[0].sendall(b"hello")'; }
        reach() { setpriv --reuid="$1" --clear-groups /usr/bin/python3 -c '
        import socket, sys
        try: print(socket.create_connection((sys.argv[2], int(sys.argv[1])), 5).recv(5).decode())
        except ConnectionRefusedError: print("refused")' "$2" "${3:-127.0.0.1}"; }
        exec 3< <(serve "$2") 4< <(serve 65534)
        read -r machine <&3; read -r host <&4
        echo "server to machine: $(reach 65534 "$machine")"
        echo "machine to host: $(reach "$2" "$host")"
        echo "machine to host by a public address: $(reach "$2" "$host" 203.0.113.1)"
        echo "machine to machine: $(reach "$3" "$machine")"
        echo "another user to host: $(reach $(("$2" - 1)) "$host")"
    """
    script = script.replace("\n        ", "\n")
    done = subprocess.run(["unshare", "--net", "--pid", "--fork", "--kill-child", "bash", "-c", script, "bash",
                           PACKAGING / "machines.nft", str(first), str(last)], capture_output=True, text=True, timeout=60,
                          cwd="/")
    assert done.stdout.splitlines() == [
        "server to machine: hello", "machine to host: refused", "machine to host by a public address: refused",
        "machine to machine: refused",
        "another user to host: hello"], done


def container_steps():
    text = re.sub(r"^#.*\n", "", (PACKAGING / "Containerfile").read_text(), flags=re.M)
    return [step.split(None, 1) for step in re.sub(r"\\\n\s*", "", text).splitlines() if step.strip()]


def test_the_image_holds_what_the_host_needs():
    """Every instruction is one of the format's; the libraries that the program needs are among the packages."""
    steps = container_steps()
    assert {name for name, _ in steps} <= {"ARG", "FROM", "RUN", "WORKDIR", "COPY", "LABEL", "USER", "VOLUME", "EXPOSE",
                                          "STOPSIGNAL", "ENTRYPOINT", "CMD"}
    last = len(steps) - 1 - [name for name, _ in steps][::-1].index("FROM")
    final = dict(steps[last:][::-1])
    packages = set(re.search(r"--no-install-recommends ([^&]*)", final["RUN"])[1].split())
    told = (ROOT / "docs/operate.md").read_text()
    assert {"bubblewrap", "util-linux", "git", "gcc", "libarchive13", "libseccomp2", "libsqlite3-0"} <= packages
    assert final["USER"] == "10001:10001" and json.loads(final["CMD"])[0] == "serve"
    for line in [*re.findall(r"--[\w-]+", final["CMD"])]:
        assert line in cupel("serve", "--help", check=0).stdout
    options = set(re.findall(r"--security-opt (\S+)", told))
    assert options == {"seccomp=unconfined", "unmask=ALL", "no-new-privileges"}, "these were tried, no others"
    for source in re.findall(r"^COPY (?!--from)(?:--\S+ )*(.*) \S+$", "\n".join(" ".join(s) for s in steps), re.M):
        for path in source.split():
            assert path.startswith(".build/") or (ROOT / path).exists(), path


def test_alarms_ask_for_metrics_that_there_are(server):
    """Names and labels; the expressions are Prometheus' to judge (`promtool check rules`)."""
    status, _, body = server.call("GET", "/metrics")
    assert status == 200
    known = set(re.findall(r"^# TYPE (\w+)", body.decode(), re.M))
    rules = (PACKAGING / "alerts.yaml").read_text()
    names = set(re.findall(r"\b((?:cupel|process)_\w+)", "\n".join(re.findall(r"expr: (?:>-\n\s*)?(.*)", rules))))
    assert len(names) > 8
    for name in names:
        assert re.sub(r"_bucket$", "", name) in known, name
    alarms = re.findall(r"alert: (\w+)", rules)
    assert len(alarms) == len(set(alarms)) == rules.count("summary:") == rules.count("action:")
    outcomes = "|".join(re.findall(r'outcome=~?"([^"]*)"', rules)).split("|")
    description = json.loads(server.call("GET", "/openapi.json")[2])
    kinds = description["components"]["schemas"]["Job"]["properties"]["error_type"]["enum"]
    assert set(outcomes) <= set(kinds)
