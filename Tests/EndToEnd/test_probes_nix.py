# SPDX-License-Identifier: Apache-2.0
"""The probes as builders of derivations, and flakes that leave the rules. A Nix by itself, as it can be set up, is
taken in; see `probes.py`."""
import io
import subprocess
import tarfile

import pytest

from conftest import ENVIRONMENT, log_of
from nix_flakes import FLAKE, NIX, build_maker, needs_nix
from probes import PROGRAMS, answers_of, judge, names, record

pytestmark = needs_nix

# What needs a cargo around it, or can be done once only.
OF_CARGO = {"write-source-after-hashing", "write-lockfile-after-hashing", "write-dependencies", "write-toolchain",
            "other-builds-source", "kill-a-process", "overwrite-a-running-program", "listen-for-others"}
# In Nix's sandbox each derivation has an /etc of its own, and may make user namespaces, as the threat model says.
OF_NIX = {"write-system-settings", "user-namespace"}
GROUPS = {group: [name for name in names(group) if name not in OF_CARGO | OF_NIX]
          for group in ("kernel", "network", "reach", "rights")}


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """Each group as a program that needs nothing beside it."""
    folder = tmp_path_factory.mktemp("programs")
    for group in GROUPS:
        subprocess.run(["cc", "-w", "-static", "-pthread", "-o", folder / group, PROGRAMS / "main.c",
                        PROGRAMS / f"{group}.c", "-lrt"], check=True)
    build_maker(folder)
    return folder


def bare_nix(folder, source, *options, settings=("sandbox = false",)):
    """A Nix by itself, with a store of its own and settings that somebody might choose."""
    environment = {**ENVIRONMENT, "HOME": str(folder), "NIX_REMOTE": "", "NIX_STORE_DIR": f"{folder}/store",
                   "NIX_STATE_DIR": f"{folder}/var", "NIX_LOG_DIR": f"{folder}/log", "NIX_CONF_DIR": f"{folder}/etc",
                   "NIX_CONFIG": "\n".join([
                       "experimental-features = nix-command flakes", "build-users-group =", "substituters =",
                       "flake-registry =", "filter-syscalls = false", *settings])}
    done = subprocess.run([NIX, "build", "-L", "--no-link", *options, f"path:{source}"], cwd=folder, env=environment,
                          capture_output=True, text=True, timeout=120)
    # Nix makes its store read-only.
    subprocess.run(["chmod", "-R", "u+w", folder / "store"], check=False, capture_output=True)
    return done.stdout + done.stderr


def flake_files(default, maker, *, head="", **files):
    text = FLAKE % {"head": head, "packages": "", "default": default, "maker": "./maker"}
    return {"flake.nix": text, "maker": maker.read_bytes(), **files}


def write(folder, files):
    folder.mkdir()
    for path, body in files.items():
        (folder / path).write_bytes(body if isinstance(body, bytes) else body.encode())
        if isinstance(body, bytes):
            (folder / path).chmod(0o755)
    return folder


def archive(files):
    """Programs keep the bit that says so."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for path, body in files.items():
            entry = tarfile.TarInfo(f"probe/{path}")
            entry.mode = 0o755 if isinstance(body, bytes) else 0o644
            body = body if isinstance(body, bytes) else body.encode()
            entry.size = len(body)
            tar.addfile(entry, io.BytesIO(body))
    return out.getvalue()


@pytest.fixture(scope="module")
def answered(programs, confined, unconfined, tmp_path_factory):
    """What each group's probes say as builders: without a sandbox, and within Nix's own in Cupel's."""
    found = {}
    for group in GROUPS:
        for site in (unconfined, confined):
            only = " ".join(f'"{name}"' for name in GROUPS[group])
            files = flake_files(
                f'makeWith {{ name = "plain"; builder = ./{group}; args = [ ./targets {only} ]; }}', programs / "maker",
                **{group: (programs / group).read_bytes(),
                   "targets": "".join(f"{key}={value}\n" for key, value in site.targets().items())})
            if site is confined:
                _, events, outcome = confined.server.build(archive(files))
                assert outcome == {"status": "ok"}, (outcome, events)
                text = log_of(events)
            else:
                folder = tmp_path_factory.mktemp("bare")
                text = bare_nix(folder, write(folder / "source", files))
            found[group, site.is_confined] = answers_of(text)
            assert len(found[group, site.is_confined]) == len(GROUPS[group]), text
    return found


@pytest.mark.parametrize("group, name", [(group, name) for group in GROUPS for name in GROUPS[group]])
def test_the_builder_of_a_derivation(group, name, answered):
    judge(name, answered[group, False][name], answered[group, True][name])


# A flake, how a Nix by itself is called so that it bites, and how Cupel ends it (nothing where it goes on, unharmed).
FLAKES = {
    "flake-settings": ('make "plain" [ "write" out "x" ]', ["--accept-flake-config"], (), None),
    "import-from-derivation": (
        'make "plain" [ "write" out (builtins.readFile (make "first" [ "write" "MARKER" "x" "write" out "x" ])) ]',
        [], (), {"UnsupportedToolchainError"}),
    "no-chroot": (
        'makeWith { name = "plain"; __noChroot = true; '
        'args = [ "show" "SECRET" "write" "MARKER" "x" "write" out "x" ]; }',
        [], ("sandbox = relaxed",), {"BuildError"}),
    "builtins-exec": (
        'make "plain" [ "write" out (builtins.exec [ "/bin/sh" "-c" "touch MARKER; echo 1" ]) ]', ["--impure"],
        ("allow-unsafe-native-code-during-evaluation = true",), {"BuildError"}),
    "impure-file": ('make "plain" [ "write" out (builtins.readFile "SECRET") ]', ["--impure"], (),
                    {"UnpinnedDependencyError"}),
    "impure-search-path": ('make "plain" [ "write" out (builtins.readFile <secret/secret>) ]',
                           ["--impure", "-I", "secret=FOLDER"], (), {"BuildError", "UnpinnedDependencyError"}),
    "fixed-output-with-network": (
        'makeWith { name = "fetched"; args = [ "connect" "127.0.0.1" "PORT" "write" "MARKER" "x" "write" out "x" ]; '
        'outputHashAlgo = "sha256"; outputHash = builtins.hashString "sha256" "x"; }', [], (),
        {"UnsupportedToolchainError", "BuildError"}),
}


@pytest.mark.parametrize("name", FLAKES)
def test_a_flake_that_leaves_the_rules(name, programs, confined, outside, folder):
    default, options, settings, kinds = FLAKES[name]
    marker, words = folder / "reached", "words of the machine"
    (folder / "secret").write_text(words)
    hook = folder / "hook"
    hook.write_text(f"#!/bin/sh\ntouch {marker}\n")
    hook.chmod(0o755)
    head = f'nixConfig = {{ post-build-hook = "{hook}"; sandbox = false; }};' if name == "flake-settings" else ""
    for word, value in (("MARKER", marker), ("SECRET", folder / "secret"), ("PORT", outside.targets["tcp"])):
        default = default.replace(word, str(value))
    files = flake_files(default, programs / "maker", head=head)
    bare = folder / "bare"
    bare.mkdir()
    text = bare_nix(bare, write(folder / "source", files), *(o.replace("FOLDER", str(folder)) for o in options),
                    settings=settings or ("sandbox = false",))
    made = (bare / "store").glob("*-plain")
    bitten = marker.exists() or any(words in path.read_text(errors="replace") for path in made)
    record(name, bites=bitten)
    assert bitten, text
    marker.unlink(missing_ok=True)

    _, events, outcome = confined.server.build(archive(files))
    contained = not marker.exists() and words not in str(events)
    contained = contained and (outcome["status"] == "ok" if kinds is None else outcome.get("error_type") in kinds)
    record(name, contained=contained)
    assert contained, outcome
