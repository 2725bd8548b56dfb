# SPDX-License-Identifier: Apache-2.0
"""Flakes that try to bring in what the provenance would not name, or to run something with network."""
import io
import json
import subprocess
import tarfile

import pytest

from conftest import sha256, tarball
from nix_flakes import OTHER, make, needs_nix, nix
from nix_flakes import files, flakes, maker  # noqa: F401 (fixtures)

pytestmark = needs_nix


def tree_hash(folder, files):
    """The hash of the Nix archive of some files, as flake.lock has it."""
    for path, body in files.items():
        (folder / "tree" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "tree" / path).write_text(body)
    return nix(folder, "hash", "path", "--sri", folder / "tree")


def lockfile(inputs):
    nodes = {name: {"locked": locked, "original": {k: v for k, v in locked.items() if k in ("type", "url", "path")},
                    "flake": False} for name, locked in inputs.items()}
    root = {"inputs": {name: name for name in inputs}}
    return json.dumps({"nodes": {**nodes, "root": root}, "root": "root", "version": 7})


def test_a_repository_in_the_source_runs_none_of_its_programs(server, flakes, files, folder):
    files.files["/reached"] = b"x"
    source = flakes.write("null")
    repository = source / "repository"
    git = ["git", "-C", repository, "-c", "user.name=n", "-c", "user.email=e@example.com"]
    subprocess.run(["git", "init", "-q", repository], check=True)
    (repository / "file").write_text("x")
    (repository / ".gitattributes").write_text("* filter=x\n")
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "x"], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    with open(repository / ".git/config", "a") as config:
        config.write('[filter "x"]\n\trequired = true\n'
                     f"\tsmudge = /build/source/maker get 127.0.0.1 {files.port} /reached /tmp/got\n")
    flake = (source / "flake.nix").read_text().replace("default = null;", (
        'default = make "plain" [ "write" out (builtins.readFile ((builtins.fetchGit { '
        f'url = "file:///build/source/repository"; rev = "{commit}"; }}) + "/file")) ];'))
    (source / "flake.nix").write_text(flake)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        tar.add(source, arcname="probe")
    _, _, outcome = server.build(archive.getvalue())
    assert outcome["status"] == "failed" and outcome["error_type"] in ("SourceError", "UnpinnedDependencyError"), outcome
    assert files.asked == []


@pytest.mark.parametrize("name", ["source", "file"])
def test_what_evaluation_downloads_is_listed_whatever_it_is_called(flakes, files, name):
    files.files["/file"] = b"downloaded"
    expression = (f'make "plain" [ "write" out (builtins.readFile (builtins.fetchurl {{ url = "{files.url}/file"; '
                  f'name = "{name}"; sha256 = "{sha256(b"downloaded")}"; }})) ]')
    found = flakes.build(expression).good().of_kind("source")
    assert [i["digest"] for i in found] == [{"sha256": sha256(b"downloaded")}]


def test_what_evaluation_downloads_is_listed_though_it_is_called_a_derivation(flakes, files):
    text = ('Derive([("out","/nix/store/' + "0" * 32 + '-a","","")],[],[],"x86_64-linux","/bin/sh",[],'
            '[("name","a"),("payload","downloaded")])')
    files.files["/a.drv"] = text.encode()
    build = flakes.build(
        'make "plain" [ "write" out (builtins.unsafeDiscardStringContext (builtins.readFile (builtins.fetchurl { '
        f'url = "{files.url}/a.drv"; name = "a.drv"; sha256 = "{sha256(text.encode())}"; }}))) ]')
    # Not every Nix reads a file of that name.
    if build.outcome["status"] == "ok":
        assert [i["digest"] for i in build.good().of_kind("source")] == [{"sha256": sha256(text.encode())}]
    else:
        build.bad("BuildError")


def test_a_hash_given_to_a_folder_hides_nothing(flakes, files, folder):
    files.files["/ball.tar.gz"] = tarball({"text": "downloaded"}, top="ball")
    hashed = tree_hash(folder, {"text": "downloaded"})
    build = flakes.build(
        'make "plain" [ "write" out (builtins.readFile (builtins.fetchTarball { url = "' + files.url
        + '/ball.tar.gz"; sha256 = "' + hashed + '"; } + "/text")) ]',
        head='inputs.sub = { url = "path:./sub"; flake = false; };',
        files={"sub/text": "in the tree", "flake.lock": lockfile(
            {"sub": {"type": "path", "path": "./sub", "narHash": hashed}})})
    if build.outcome["status"] == "ok":
        digest = nix(folder, "hash", "to-base16", hashed)
        assert {"sha256": digest} in [i["digest"] for i in build.good().of_kind("source")]


def test_what_has_the_hash_of_an_input_does_not_pass_for_it(flakes, files, folder):
    files.files["/ball.tar.gz"] = tarball({"text": "downloaded"}, top="ball")
    hashed = tree_hash(folder, {"text": "downloaded"})
    url = f"{files.url}/never.git"
    flakes.build(
        'make "plain" [ "write" out (builtins.seq (builtins.readDir (builtins.fetchTarball { url = "' + files.url
        + '/ball.tar.gz"; sha256 = "' + hashed + '"; })) (builtins.readFile "${inputs.claimed}/text")) ]',
        head=f'inputs.claimed = {{ url = "git+{url}"; flake = false; }};',
        files={"flake.lock": lockfile(
            {"claimed": {"type": "git", "url": url, "rev": "0" * 40, "narHash": hashed}})}).bad("SourceError")


def test_two_origins_with_one_hash_are_refused(flakes, files, folder):
    files.files["/ball.tar.gz"] = tarball({"text": "downloaded"}, top="ball")
    hashed = tree_hash(folder, {"text": "downloaded"})
    inputs = {"claimed": {"type": "github", "owner": "NixOS", "repo": "nixpkgs", "rev": "0" * 40, "narHash": hashed},
              "real": {"type": "tarball", "url": f"{files.url}/ball.tar.gz", "narHash": hashed}}
    flakes.build(make("plain", "write", "${out}", "x"), files={"flake.lock": lockfile(inputs)}).bad(
        "LockfileError", "claimed", "real")
    inputs["claimed"] = {"type": "path", "path": "./sub", "narHash": hashed}
    flakes.build(make("plain", "write", "${out}", "x"),
                 files={"sub/text": "downloaded", "flake.lock": lockfile(inputs)}).bad("LockfileError")


def test_a_program_that_fetches_cannot_change_what_was_built(flakes):
    fetcher = ('derivation { inherit system; name = "fetched"; builder = "${maker}"; args = [ "mode" "${other}" "755" '
               '"mode" "${other}/text" "644" "write" "${other}/text" "poisoned" "write" out "promised" ]; '
               f'outputHashAlgo = "sha256"; outputHash = "{sha256(b"promised")}"; }}')
    flakes.build(
        'let ' + OTHER + ' in make "plain" [ "show" "${' + fetcher + '}" "show" "${other}/text" "write" out "x" ]'
    ).bad("InputVerificationError", "other")


@pytest.mark.parametrize("url", ["http://user@127.0.0.1:{}/file", "HTTP://127.0.0.1:{}/file"])
def test_no_spelling_of_a_private_address_gets_by(flakes, files, url):
    files.files["/file"] = b"x"
    place = url.format(files.port)
    expression = ('make "plain" [ "show" "${download { url = "' + place + '"; outputHash = "' + sha256(b"x")
                  + '"; }}" "write" out "x" ]')
    flakes.build(expression, private=False).bad("SourceError")
    other = expression.replace("download {", 'download { __json = builtins.toJSON { url = "https://1.1.1.1/"; };')
    assert flakes.build(other, private=False).outcome["status"] == "failed"
    assert files.asked == []
