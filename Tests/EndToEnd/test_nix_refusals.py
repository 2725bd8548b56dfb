# SPDX-License-Identifier: Apache-2.0
"""Flakes that reach for what they may not have: each is refused with the right kind of error, or finds nothing."""
import json
import socket
import threading

import pytest

from conftest import tarball
from nix_flakes import files, flakes, maker, make, needs_nix  # noqa: F401 (fixtures)

pytestmark = needs_nix

WRITE = make("plain", "write", "${out}", "x")


UNPINNED = {"UnpinnedDependencyError"}
# Nix may say no more than that there is no such name.
MISSING = {"BuildError", "UnpinnedDependencyError"}


@pytest.mark.parametrize("what, expression, kinds", [
    ("the time", "toString builtins.currentTime", MISSING),
    ("the machine's kind", "builtins.currentSystem", MISSING),
    ("a file of the machine", 'builtins.readFile "/etc/passwd"', UNPINNED),
    ("a folder of the machine", '"${/usr/share/doc}"', UNPINNED),
    ("a path of the search path", '"${<nixpkgs>}"', MISSING),
    ("a tarball without hash", 'builtins.fetchTarball "URL/x.tar.gz"', UNPINNED),
    ("a file without hash", 'builtins.fetchurl "URL/x"', UNPINNED),
    ("a repository without commit", '"${builtins.fetchGit "URL/x.git"}"', UNPINNED),
    ("a flake without hash", '"${builtins.getFlake "git+URL/x.git"}"', UNPINNED),
    ("a name of the registry", '"${builtins.getFlake "nixpkgs"}"', UNPINNED),
    ("a store path that nothing made", 'builtins.storePath "/nix/store/00000000000000000000000000000000-x"', UNPINNED),
])
def test_impure_evaluation_is_refused(flakes, files, what, expression, kinds):
    build = flakes.build(f'make "plain" [ "write" out ({expression.replace("URL", files.url)}) ]')
    assert build.outcome["status"] == "failed" and build.outcome["error_type"] in kinds, build.outcome
    build.bad(build.outcome["error_type"])
    assert files.asked == []


def test_variables_of_the_machine_are_empty(flakes):
    build = flakes.build(
        'make "plain" [ "write" out "[${builtins.getEnv "HOME"}${builtins.getEnv "PATH"}]" ]').good()
    assert build.artifact("plain") == b"[]"


@pytest.mark.parametrize("first", [
    make("first", "write", "${out}", "1"),
    'download { url = "URL/first"; outputHash = builtins.hashString "sha256" "1"; }',
])
def test_import_from_derivation_is_refused(flakes, files, first):
    files.files["/first"] = b"1"
    for use in ("import", "builtins.readFile"):
        build = flakes.build(f'make "plain" [ "write" out (toString ({use} ({first.replace("URL", files.url)}))) ]')
        build.bad("UnsupportedToolchainError", "import from derivation")
    assert files.asked == []


@pytest.mark.parametrize("attributes, kind", [
    ('__contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256";',
     {"UnsupportedToolchainError", "BuildError"}),
    ("__impure = true;", {"UnsupportedToolchainError", "BuildError"}),
    ("__noChroot = true;", {"BuildError"}),
])
def test_derivations_that_leave_the_rules_are_refused(flakes, attributes, kind):
    build = flakes.build('makeWith { name = "plain"; args = [ "write" out "x" ]; %s }' % attributes)
    if attributes.startswith("__impure") and build.outcome["status"] == "ok":
        # A Nix that does not know the attribute builds without network, as ever.
        assert build.good().parameters["phases"][-1]["network"] is False
        return
    assert build.outcome["error_type"] in kind, build.outcome
    build.bad(build.outcome["error_type"])


class Listener:
    """Counts who connects."""

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port, self.reached = self.socket.getsockname()[1], []
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()
        return self

    def listen(self):
        try:
            while True:
                self.reached.append(self.socket.accept()[1])
        except OSError:
            pass

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()


def test_the_build_phase_has_no_network(flakes):
    with Listener() as listener:
        build = flakes.build(make("plain", "connect", "127.0.0.1", listener.port, "write", "${out}", "x"))
        build.bad("BuildError")
        assert "connect 127.0.0.1: " in build.log, build.log
    assert listener.reached == []


def test_a_program_that_fetches_is_built_without_network(flakes):
    with Listener() as listener:
        build = flakes.build(
            f'let fetcher = {make("fetcher", "connect", "127.0.0.1", listener.port, "program", "${out}", "x")}; in '
            'makeWith { name = "plain"; args = [ "show" (derivation { inherit system; name = "fetched"; '
            'builder = "${fetcher}"; outputHash = builtins.hashString "sha256" "x"; outputHashAlgo = "sha256"; }) ]; }')
        build.bad("BuildError", "fetches")
    assert listener.reached == []


def test_a_program_that_fetches_needs_the_operators_word(flakes):
    fetched = ('makeWith { name = "fetched"; args = [ "write" out "x" ]; outputHashAlgo = "sha256"; '
               'outputHash = builtins.hashString "sha256" "x"; }')
    expression = f'make "plain" [ "show" ({fetched}) "write" out "y" ]'
    flakes.build(expression, private=False).bad("UnsupportedToolchainError", "nix.fetch_programs")
    allowed = flakes.build(expression, private=False, environment={"CUPEL_NIX_FETCH_PROGRAMS": "any"}).good()
    assert allowed.artifact("plain") == b"y" and len(allowed.of_kind("fixedOutput")) == 1


PLACES = ["/usr/bin/env", "/etc/hostname", "/etc/shadow", "/build/source/flake.nix", "/build/output", "/build/home",
          "/proc/1/environ", "/root", "/bin/sh", "/nix/var/nix/db/db.sqlite"]


def test_a_builder_sees_nothing_of_the_machine(flakes):
    steps = [word for place in PLACES for word in ("show", place)]
    build = flakes.build(make("plain", *steps, "write", "${out}", "x")).good()
    assert build.parameters["nix"]["sandbox"] is True
    for place in set(PLACES) - {"/bin/sh", "/proc/1/environ"}:
        assert f"{place}: No such file or directory" in build.log, build.log
    # The first process that it sees is its own.
    assert "HOME=/build/home" not in build.log


def test_settings_of_a_flake_are_not_applied(flakes, files):
    head = """nixConfig = {
      sandbox = false; sandbox-fallback = true; substituters = [ "URL" ]; extra-substituters = [ "URL" ];
      extra-trusted-public-keys = [ "x:AAAA" ]; extra-sandbox-paths = [ "/usr" "/etc" ]; substitute = true;
      allow-import-from-derivation = true; builders = "ssh://127.0.0.1"; pre-build-hook = "/usr/bin/env";
      post-build-hook = "/usr/bin/env"; flake-registry = "URL/registry.json"; require-sigs = false;
    };""".replace("URL", files.url)
    build = flakes.build(
        make("plain", "show", "/usr/bin/env", "show", "/etc/hostname", "write", "${out}", "x"), head=head).good()
    assert "REACHED" not in build.log and files.asked == [], (build.log, files.asked)
    assert build.parameters["nix"]["sandbox"] is True and build.parameters["nix"]["substituters"] == []
    assert f"{files.url}" not in build.parameters["environment"]["NIX_CONFIG"]


def test_no_cache_is_asked_unless_the_operator_names_one(flakes):
    # Nix's own default would be a cache on the internet.
    build = flakes.build(WRITE).good()
    settings = build.parameters["environment"]["NIX_CONFIG"].splitlines()
    assert "substitute = false" in settings and "substituters = " in settings, settings
    assert not build.of_kind("substituted")


@pytest.mark.parametrize("steps", [
    ["folder", "${out}", "link", "${out}/x", "nowhere"],
    ["folder", "${out}", "link", "${out}/x", "/etc/passwd"],
    ["folder", "${out}", "link", "${out}/x", "../../../../etc/passwd"],
    ["folder", "${out}", "link", "${out}/x", "/nix/store/00000000000000000000000000000000-x"],
    ["folder", "${out}", "link", "${out}/x", "y", "link", "${out}/y", "x"],
    ["folder", "${out}", "write", "${out}/good", "x", "link", "${out}/x", "${out}/../other"],
    ["folder", "${out}"],
    ["folder", "${out}", "folder", "${out}/empty", "link", "${out}/x", "empty"],
])
def test_outputs_that_are_no_artifacts_are_refused(flakes, steps):
    build = flakes.build(make("plain", *steps)).bad("ArtifactError")
    assert not (build.folder / "artifacts").exists()


@pytest.mark.parametrize("name", ["l\\u0600", "\\u0301l"])
def test_a_link_behind_a_slash_that_joins_its_neighbour_is_not_followed(flakes, folder, name):
    # A text library may take the slash and the character beside it for one character; the kernel does not.
    secret = folder / "secret"
    secret.write_text("a key of the machine")
    build = flakes.build(f"""
    let l = builtins.fromJSON ''"{name}"'';
        b = make "b" [ "folder" out "link" "${{out}}/${{l}}" "/" ];
    in make "a" [ "folder" out "link" "${{out}}/art" "${{b}}/${{l}}{secret}" ]""").bad("ArtifactError", "leads out")
    assert not (build.folder / "artifacts").exists()


@pytest.mark.parametrize("what, expression, kind", [
    ("a builder that fails", make("plain", "connect", "300.0.0.1", "1"), "BuildError"),
    ("a builder that makes nothing", make("plain", "show", "/x"), "BuildError"),
    ("a builder that is not there", 'makeWith { name = "plain"; builder = "/usr/bin/env"; }', "BuildError"),
    ("another system", 'makeWith { name = "plain"; system = "riscv64-linux"; }', "BuildError"),
    ("a fault of the expression", "make 1", "BuildError"),
    ("a thrown error", 'throw "the flake says no"', "BuildError"),
    ("what is no package", '"text"', "BuildError"),
    ("endless recursion", "let f = x: f (x + 1); in f 0", "BuildError"),
    ("a set that is no derivation", "{ x = 1; }", "BuildError"),
])
def test_faults_of_a_flake_are_build_errors(flakes, what, expression, kind):
    build = flakes.build(expression).bad(kind)
    if "throw" in expression:
        assert "the flake says no" in build.outcome["error"]


def test_a_flake_that_is_no_nix(flakes):
    source = flakes.write(WRITE)
    (source / "flake.nix").write_text("{ outputs = ")
    flakes.build_folder(source).bad("BuildError", "syntax error")
    (source / "flake.nix").write_text('{ outputs = { self }: { }; }')
    flakes.build_folder(source).bad("BuildError", "does not provide attribute")


def test_words_of_a_flake_do_not_choose_the_kind_of_its_failure(flakes):
    for words in ("lock file changes", "hash mismatch", "unable to download"):
        build = flakes.build(f'builtins.trace "{words}" (throw "other")')
        assert build.outcome["status"] == "failed", build.text
        assert build.outcome["error_type"] == "BuildError", (words, build.outcome)


def test_a_refusal_over_the_api_is_one_event(server, flakes):
    source = flakes.write('throw "no\\nsecond line"')
    body = {"flake.nix": (source / "flake.nix").read_text(), "maker": (source / "maker").read_bytes()}
    job, events, outcome = server.build(tarball(body, top="refused"))
    assert outcome["status"] == "failed" and outcome["error_type"] == "BuildError", outcome
    assert [e["type"] for e in events].count("complete") == 1 and events[-1]["type"] == "complete"
    assert server.result(job)[0] == 404
    assert json.loads(server.call("GET", f"/build/{job}")[2])
