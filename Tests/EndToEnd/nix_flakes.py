# SPDX-License-Identifier: Apache-2.0
"""Makers of small flakes, and of servers that they fetch from, for the tests of Nix.

Nix's own sandbox is empty, so a flake carries all that it runs: `maker`, a static program that does what its arguments
say, or a C compiler that needs nothing beside it."""
import base64
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from conftest import CUPEL, ENVIRONMENT, ROOT
from file_server import FileServer

NIX = pathlib.Path("/usr/bin/nix")
LIBRARIES = pathlib.Path("/usr/lib/x86_64-linux-gnu")
MUSL = pathlib.Path("/usr/lib/x86_64-linux-musl")

needs_nix = pytest.mark.skipif(not NIX.exists(), reason="Nix is not installed; Scripts/requirements tests installs it")
needs_compiler = pytest.mark.skipif(
    not (NIX.exists() and MUSL.exists() and shutil.which("tcc")),
    reason="Nix, tcc and musl-dev are not all installed; Scripts/requirements tests installs them")

MAKER = ROOT / "Tests/EndToEnd/nix_maker.c"

FLAKE = """{
  %(head)s
  outputs = inputs: let
    self = inputs.self;
    system = "x86_64-linux";
    out = placeholder "out";
    maker = %(maker)s;
    makeWith = attributes: derivation ({ inherit system; builder = "${maker}"; } // attributes);
    make = name: args: makeWith { inherit name args; };
    compiler = ./compiler;
    compile = name: source: derivation {
      inherit name system;
      builder = "${compiler}/ld.so";
      args = [
        "--library-path" "${compiler}/host" "${compiler}/tcc" "-B${compiler}/lib" "-nostdinc" "-nostdlib" "-static"
        "-I${compiler}/lib/include" "-I${compiler}/include" "-o" out "${compiler}/musl/crt1.o"
        "${compiler}/musl/crti.o" "${source}" "${compiler}/musl/libc.a" "${compiler}/lib/libtcc1.a"
        "${compiler}/musl/crtn.o"
      ];
    };
    download = attributes: derivation ({
      name = "download"; system = "builtin"; builder = "builtin:fetchurl"; outputHashMode = "flat";
      outputHashAlgo = "sha256";
    } // attributes);
  in {
    packages.x86_64-linux = {
      %(packages)s
      default = %(default)s;
    };
  };
}
"""


def build_maker(folder):
    """Compiles the program that the flakes carry."""
    subprocess.run(["cc", "-static", "-O1", "-o", folder / "maker", MAKER], check=True)
    return folder / "maker"


def write_flake(folder, default, *, maker, head="", packages="", compiler=False, files=None):
    """A flake whose default package is the Nix expression `default`. With `compiler`, the maker is compiled by the
    build, from its source."""
    folder.mkdir(parents=True, exist_ok=True)
    if compiler:
        copy_compiler(folder / "compiler")
        shutil.copy(MAKER, folder / "maker.c")
    else:
        shutil.copy(maker, folder / "maker")
    text = FLAKE % {"head": head, "packages": packages, "default": default,
                    "maker": 'compile "maker" ./maker.c' if compiler else "./maker"}
    for path, body in {"flake.nix": text, **(files or {})}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(body.encode() if isinstance(body, str) else body)
    return folder


def copy_compiler(folder):
    """tcc and musl of Debian, with the libraries that tcc itself needs."""
    for name in ("host", "lib", "musl"):
        (folder / name).mkdir(parents=True)
    shutil.copy("/usr/bin/tcc", folder)
    shutil.copy("/lib64/ld-linux-x86-64.so.2", folder / "ld.so")
    for name in ("libm.so.6", "libpthread.so.0", "libdl.so.2", "libc.so.6"):
        shutil.copy(LIBRARIES / name, folder / "host")
    shutil.copytree(LIBRARIES / "tcc/include", folder / "lib/include")
    shutil.copy(LIBRARIES / "tcc/libtcc1.a", folder / "lib")
    for name in ("crt1.o", "crti.o", "crtn.o", "libc.a"):
        shutil.copy(MUSL / name, folder / "musl")
    shutil.copytree("/usr/include/x86_64-linux-musl", folder / "include")


def actions(*words):
    """A Nix list of the maker's arguments; `$out` and other `${}` stay Nix's."""
    return "[ " + " ".join(json.dumps(str(word)) for word in words) + " ]"


def make(name, *words):
    return f'make "{name}" {actions(*words)}'


def download(url, kind, body):
    """A derivation with which Nix itself fetches what has the hash of `body`."""
    digest = hashlib.new(kind, body).hexdigest()
    return f'download {{ url = "{url}"; outputHashAlgo = "{kind}"; outputHash = "{digest}"; }}'


def use(derivation):
    """A package whose builder reads what `derivation` makes, which is a file."""
    return f'make "plain" [ "show" "${{{derivation}}}" "write" out "x" ]'


class Build:
    """What `cupel build FOLDER` said and left."""

    def __init__(self, source, output, *options, environment=None, user=(), private=True):
        command = [*user, CUPEL, "build", source, "--json", "--output", output, *options]
        command += ["--allow-private-sources"] if private else []
        done = subprocess.run(command, capture_output=True, text=True, timeout=300,
                              env={**ENVIRONMENT, **(environment or {})})
        self.status, self.text = done.returncode, done.stdout + done.stderr
        self.events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        self.folder = output / source.name
        self.log = "\n".join(e["msg"] for e in self.events if e.get("type") == "build")
        self.outcome = next((e["result"] for e in self.events if e.get("type") == "complete"), None)

    def good(self):
        assert self.outcome == {"status": "ok"}, self.text
        self.statement = json.loads((self.folder / "provenance.json").read_bytes())
        definition = self.statement["predicate"]["buildDefinition"]
        self.parameters = definition["internalParameters"]
        self.inputs = definition["resolvedDependencies"]
        self.byproducts = self.statement["predicate"]["runDetails"]["byproducts"]
        assert_digests(self.statement)
        return self

    def bad(self, kind, *words):
        assert self.outcome and self.outcome["status"] == "failed", self.text
        assert self.outcome["error_type"] == kind, self.outcome
        sentence = self.outcome["error"]
        assert "\n" not in sentence and len(sentence) < 600, sentence
        for word in words:
            assert word in sentence, (word, sentence)
        return self

    def artifact(self, name):
        return (self.folder / "artifacts" / name).read_bytes()

    def of_kind(self, kind):
        return [i for i in self.inputs if i.get("annotations", {}).get("kind") == kind]


LENGTHS = {"sha256": 64, "sha512": 128, "gitCommit": 40, "gitTree": 40, "cupelTree": 64, "dirHash": 64}


def assert_digests(value):
    """Every digest anywhere in the statement is lower-case hexadecimal of the length of its kind."""
    if isinstance(value, list):
        for item in value:
            assert_digests(item)
    if not isinstance(value, dict):
        return
    for kind, digest in value.get("digest", {}).items():
        assert len(digest) == LENGTHS[kind] and set(digest) <= set("0123456789abcdef"), (kind, digest)
    for item in value.values():
        assert_digests(item)


def nix(folder, *arguments, standard_input=None):
    """Runs the machine's Nix with a store and a home below `folder`, and returns what it printed."""
    home = folder / "nix-home"
    home.mkdir(exist_ok=True)
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "NIX_REMOTE": "", "NIX_CONFIG": "\n".join([
        "experimental-features = nix-command flakes", f"store = {folder}/nix-store", "build-users-group =",
        "substituters =", "flake-registry =", "sandbox = false"])}
    done = subprocess.run(["nix", *map(str, arguments)], input=standard_input, capture_output=True, text=True,
                          env=environment, timeout=300)
    assert done.returncode == 0, (arguments, done.stdout, done.stderr)
    return done.stdout.strip()


def nix_version():
    """Such as (2, 8, 0); (0,) where there is none."""
    if not NIX.exists():
        return (0,)
    text = subprocess.run([NIX, "--version"], check=True, capture_output=True, text=True).stdout
    return tuple(int(part) for part in re.search(r"\d+(\.\d+)+", text)[0].split("."))


# A flake that others have as an input.
LIBRARY = {"flake.nix": '{ outputs = { self }: { text = builtins.readFile ./text; }; }\n', "text": "of the library"}

# A package that others use: a folder with a file.
OTHER = 'other = make "other" [ "folder" out "write" "${out}/text" "of another" ];'


def base64_hash(kind, body):
    return f"{kind}-" + base64.b64encode(hashlib.new(kind, body).digest()).decode()


class Flakes:
    """Writes flakes into folders of their own and builds them."""

    def __init__(self, folder, maker):
        self.folder, self.maker = folder, maker
        self.count = 0

    def write(self, default, **options):
        self.count += 1
        return write_flake(self.folder / f"flake{self.count}", default, maker=self.maker, **options)

    def build_folder(self, source, *options, **more):
        self.count += 1
        return Build(source, self.folder / f"output{self.count}", *options, **more)

    def build(self, default, *, environment=None, private=True, **more):
        return self.build_folder(self.write(default, **more), environment=environment, private=private)


@pytest.fixture(scope="session")
def maker(tmp_path_factory):
    return build_maker(tmp_path_factory.mktemp("maker"))


@pytest.fixture
def flakes(folder, maker):
    return Flakes(folder, maker)


@pytest.fixture
def files():
    """A running server of files."""
    with FileServer().running() as server:
        yield server
