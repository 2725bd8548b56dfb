# SPDX-License-Identifier: Apache-2.0
"""Builds in machines that several tests look at. They go on behind the tests that have machines of their own, one
after another: an emulated machine keeps one processor busy for a minute and more."""
import concurrent.futures
import dataclasses
import io
import json
import os
import pathlib
import secrets
import subprocess
import tarfile
import tempfile
import time

import guest_images
from conftest import CUPEL, ENVIRONMENT, project
from lying_host import LyingHost
from machine_acceptance import Acceptance
from machine_census import machines, ports_of
from machine_server import MachineServer, guest_call, wait_for
from nix_flakes import build_maker, make, write_flake


@dataclasses.dataclass
class Scene:
    """What came of one build in a machine."""
    server: MachineServer
    job: str
    nonce: str
    # Seconds since the submission, and the event.
    timed: list
    raw: bytes
    # The bundle's tarball; absent where the build failed.
    tarball: pathlib.Path = None
    # What the scene has noted besides.
    notes: dict = dataclasses.field(default_factory=dict)

    @property
    def events(self):
        return [event for _, event in self.timed]

    def seconds(self, kind):
        """From the submission to the first event of a kind."""
        return next(seconds for seconds, event in self.timed if event["type"] == kind)


def cargo(stage):
    """A Cargo package, submitted by `cupel build --server`, as a user would. Meanwhile somebody on the host speaks to
    the guest itself."""
    server = stage.serve("cargo", stage.image, spare=1)
    # The operator publishes its CA, which is there with the first machine.
    wait_for(server.authority.exists, 60, "there is no CA of TPMs")
    (stage.folder / "acceptance").mkdir()
    acceptance = Acceptance.made(stage.folder / "acceptance", stage.image, server)
    source, nonce, notes = stage.folder / "probe", secrets.token_hex(16), {"acceptance": acceptance}
    for path, text in project({}).items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(text)

    def seen(event):
        if event["type"] == "build" and "second" not in notes:
            port, = ports_of(machines(server.data)[:1])
            body = json.dumps({"nonce": "00", "source_name": "x.tar.gz", "source_data": "H4sI"})
            notes["second"] = guest_call(port, "POST", "/build", body, {"content-type": "application/json"})

    with LyingHost(server.url) as host:
        client = subprocess.Popen(
            [CUPEL, "build", source, "--server", host.url, "--nonce", nonce, "--output", stage.folder / "mine",
             "--json", *acceptance.trust], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
        job = host.job(60)
        scene = stage.watch(server, job, nonce, seen)
        notes["client"] = (*client.communicate(timeout=120), client.returncode)
    notes["project"] = source
    scene.notes.update(notes)
    return scene


def cloned(stage):
    """A flake from a git server, of which the host has the guest clone another branch than the one asked for."""
    server = stage.servers["cargo"] if "cargo" in stage.servers else stage.serve("cargo", stage.image, spare=1)
    repository = stage.repository()
    nonce = secrets.token_hex(16)
    with LyingHost(server.url) as host:
        host.change_submission = lambda body: {**body, "repo_ref": "other"}
        status, answer = host.submit({"nonce": nonce, "repo_url": repository, "repo_ref": "main"})
        assert status == 202, answer
        scene = stage.watch(server, json.loads(answer)["job_id"], nonce)
    # The next machine that would wait has no build to wait for.
    server.terminate()
    server.environment["CUPEL_MACHINE_SPARE"] = "0"
    server.start()
    return scene


def other_command_line(stage):
    return stage.build_elsewhere("command-line", guest_images.with_command_line)


def other_initrd(stage):
    return stage.build_elsewhere("initrd", guest_images.with_initrd)


def other_guest_program(stage):
    return stage.build_elsewhere("guest-program", guest_images.with_guest_program)


# In the order in which they are made.
SCENES = {scene.__name__: scene for scene in (cargo, cloned, other_command_line, other_initrd, other_guest_program)}


class Stage:
    """Makes the scenes that are wanted, one at a time."""

    def __init__(self, image, folder, wanted):
        self.image, self.folder = image, folder
        self.servers = {}
        self.durations = {}
        self.maker = build_maker(folder)
        self.pool = concurrent.futures.ThreadPoolExecutor(1)
        self.scenes = {name: self.pool.submit(self.play, name) for name in SCENES if name in wanted}

    def play(self, name):
        start = time.monotonic()
        try:
            return SCENES[name](self)
        finally:
            self.durations[name] = time.monotonic() - start

    def __getitem__(self, name):
        return self.scenes[name].result()

    def serve(self, name, image, **options):
        self.servers[name] = MachineServer(self.folder / f"{name}-server", image, **options).start()
        return self.servers[name]

    def watch(self, server, job, nonce, seen=None):
        """Follows a build to its end, and fetches what it made."""
        timed = server.follow(job, seen=seen)
        scene = Scene(server, job, nonce, timed, server.raw_events(job))
        if timed[-1][1]["result"] == {"status": "ok"}:
            status, _, body = server.result(job)
            assert status == 200, body
            scene.tarball = self.folder / f"{job}.tar.gz"
            scene.tarball.write_bytes(body)
        return scene

    def flake(self, name, text):
        """A flake that a machine builds in seconds."""
        return write_flake(self.folder / name, make("plain", "write", "${out}", text), maker=self.maker)

    def build_elsewhere(self, name, change):
        """A small build in a machine of another image, whose measurements are computed too."""
        image = change(self.image, self.folder / f"{name}-image")
        server = self.serve(name, image)
        nonce = secrets.token_hex(16)
        job = server.submit(archived(self.flake(f"{name}-flake", name)), nonce=nonce)
        scene = self.watch(server, job, nonce)
        scene.notes["image"] = image
        server.terminate()
        return scene

    def repository(self):
        """The URL, as a guest sees it, of a repository with the branches `main` and `other`."""
        work = self.flake("cloned", "main")
        commands = [["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "main"],
                    ["checkout", "-q", "-b", "other"], ["commit", "-q", "--allow-empty", "-m", "other"],
                    ["clone", "-q", "--bare", ".", self.folder / "repositories/cloned.git"]]
        for command in commands:
            subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@example.com", *command], cwd=work,
                           check=True)
        script = pathlib.Path(__file__).with_name("git_server.py")
        self.git = subprocess.Popen(["/usr/bin/python3", script, self.folder / "repositories"],
                                    stdout=subprocess.PIPE, text=True)
        port = self.git.stdout.readline().strip().rpartition(":")[2]
        return f"http://10.0.3.2:{port}/cloned.git"

    def close(self):
        self.pool.shutdown(cancel_futures=True)
        for server in self.servers.values():
            if server.process.poll() is None:
                server.terminate()
        if hasattr(self, "git"):
            self.git.kill()
            self.git.wait()


def archived(folder):
    """A folder as an upload."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        archive.add(folder, folder.name)
    return out.getvalue()


def open_stage(image, wanted):
    """For a fixture: the stage, with the scenes of these names."""
    with tempfile.TemporaryDirectory(prefix="cupel-test-", dir="/tmp") as path:
        os.chmod(path, 0o755)
        stage = Stage(image, pathlib.Path(path), wanted)
        yield stage
        stage.close()
