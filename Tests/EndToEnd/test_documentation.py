# SPDX-License-Identifier: Apache-2.0
"""What the documentation says: its links, its commands, its settings and its recipes."""
import os
import pathlib
import re
import shutil
import subprocess
import threading

import pytest

from conftest import CUPEL, ENVIRONMENT, ROOT, SHARED, cupel, project, sha256, tarball
from git_server import make_server

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("Examples/*/*.md")])
# Texts that begin like a command line and are none: what digests, signatures and proofs begin with.
MARKS = ("cupel tree 1", "cupel software evidence v1", "cupel input proof")


def pages(test):
    return pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))(test)


def blocks(page, holding=""):
    """The code blocks of a page that hold a text: those between ``` and those that are set in by four spaces."""
    text = page.read_text()
    fenced = re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S)
    inset = re.findall(r"(?:^\n|\A)((?:    .*\n|\n(?=    ))+)", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M)
    found = fenced + [re.sub(r"^    ", "", block, flags=re.M) for block in inset]
    return [block for block in found if holding in block]


def block(name, holding):
    found = blocks(ROOT / "docs" / name, holding)
    assert len(found) == 1, f"{name} has {len(found)} blocks with {holding!r}"
    return found[0]


def run(script, folder, **environment):
    """Runs a recipe as its reader would, with `cupel` in PATH."""
    variables = {**ENVIRONMENT, "PATH": f"{CUPEL.parent}:{os.environ['PATH']}", **environment}
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=variables, capture_output=True,
                          text=True, timeout=300)
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pages
def test_relative_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, heading = target.partition("#")
        place = (page.parent / path).resolve() if path else page
        assert place.exists(), f"{page.name} links to {target}"
        if heading:
            titles = re.findall(r"^#+ (.*)$", place.read_text(), re.M)
            anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
            assert heading in anchors, f"{page.name} links to {target}"


@pages
def test_scripts_and_tests_that_are_named_exist(page):
    text = page.read_text()
    for path in re.findall(r"\b(?:Scripts|Tests|Examples|Benchmarks)/[\w./-]*\w", text):
        assert (ROOT / path).exists(), f"{page.name} names {path}"
    known = "\n".join(path.read_text() for path in pathlib.Path(__file__).parent.glob("test_*.py"))
    for name in re.findall(r"`(test_\w+)`", text):
        assert f"def {name}(" in known, f"{page.name} names {name}"


@pytest.fixture(scope="module")
def options():
    """From each subcommand, and each one within it, to the options that its help knows: not those of its examples."""

    def help_of(*words):
        text = cupel(*words, "--help", check=0).stdout
        names = re.findall(r"^  ([a-z]+)  ", text.partition("SUBCOMMANDS:")[2], re.M)
        return names, set(re.findall(r"--[a-z-]+", text[text.index("USAGE:"):]))

    found = {}
    for name in help_of()[0]:
        inner, found[name,] = help_of(name)
        for word in inner:
            found[name, word] = help_of(name, word)[1]
    assert {("build",), ("serve",), ("verify",), ("collateral", "fetch"), ("measurements", "sign")} <= set(found)
    return found


def command_lines(page):
    for text in blocks(page):
        for line in re.sub(r"\\\n\s*", "", text).splitlines():
            if found := re.search(r"(?:^|[;|&]\s*|\$ )(cupel [^#]*)", line):
                yield found[1]
    for text in re.findall(r"`(cupel [^`]*)`", page.read_text()):
        if text not in MARKS:
            yield text


@pages
def test_commands_are_those_that_help_knows(page, options):
    for line in command_lines(page):
        for command in re.split(r"; | \| jq", line):
            words = command.split()
            if words[0] != "cupel" or words[1] in ("--help", "--version", "help"):
                continue
            has_inner = any(len(key) == 2 and key[0] == words[1] for key in options)
            key = tuple(words[1:3]) if has_inner and len(words) > 2 else (words[1],)
            assert key in options, f"{page.name}: {command}"
            unknown = set(re.findall(r"--[a-z-]+", command)) - options[key]
            assert not unknown, f"{page.name}: {command}: {unknown}"


def test_the_commands_of_all_pages_are_found():
    """So that the test above cannot pass because it looks at nothing."""
    lines = [line for page in PAGES for line in command_lines(page)]
    assert len(lines) > 30
    for name in ["build", "serve", "verify", "inspect", "doctor"]:
        assert any(line.startswith(f"cupel {name}") for line in lines), name


def settings():
    """(name, default) of every setting, as the program prints them."""
    table = ""
    for line in cupel("serve", "--print-config", check=0).stdout.splitlines():
        if found := re.match(r"\[(\w+)\]", line):
            table = found[1] + "."
        if found := re.match(r"# (\w+) = (.*)", line):
            yield table + found[1], found[2].strip('"')


def test_every_setting_is_documented_with_its_default():
    rows = dict(re.findall(r"^\| `([\w.]+)` \| ([^|]*) \|", (ROOT / "docs/operate.md").read_text(), re.M))
    found = dict(settings())
    assert len(found) > 20
    for name, default in found.items():
        assert name in rows, f"docs/operate.md lacks {name}"
        # These two depend on the machine and its user.
        if name not in ("data", "concurrency"):
            assert rows[name] == f"`{default}`", f"docs/operate.md has another default for {name}"


@pytest.fixture
def repository(folder):
    """The URL of a repository with one small project, tagged v1.2.3."""
    work = folder / "work"
    shutil.copytree(ROOT / "Examples/greeting", work)
    git = ["git", "-C", work, "-c", "user.name=test", "-c", "user.email=test@localhost"]
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "first"], ["tag", "v1.2.3"]):
        subprocess.run([*git, *arguments], check=True)
    (folder / "served").mkdir()
    subprocess.run(["git", "clone", "-q", "--bare", work, folder / "served/project"], check=True)
    with make_server(folder / "served") as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_port}/project"
        served.shutdown()


def test_the_quick_start_runs(server, repository, folder):
    shutil.copytree(ROOT / "Examples", folder / "clone/Examples", ignore=shutil.ignore_patterns("target"))
    # All of the page but the layout of the bundle; the server is there already.
    commands = [text for text in blocks(ROOT / "docs/quick-start.md") if "…" not in text]
    script = "\n".join(commands).replace("cupel serve\n", "\n")
    script = script.replace("http://127.0.0.1:8080", server.url).replace("https://github.com/you/project", repository)
    said = run(script, folder / "clone", CUPEL_ALLOW_PRIVATE_SOURCES="true")
    assert said.count("VERIFIED") == 6 and '"status":"ok"' in said
    files = {str(path.relative_to(folder / "clone")) for path in (folder / "clone/result").rglob("*")}
    layout = block("quick-start.md", "result/greeting/\n")
    for name in ["provenance.json", "evidence.json", "build.log", "sbom.cdx.json"]:
        assert name in layout and f"result/greeting/{name}" in files and f"result/project/{name}" in files


def test_the_readme_shows_what_verify_says(bundle):
    """Line by line: the check, its outcome and its words, but for names, digests and counts."""
    place, nonce = bundle
    said = cupel("verify", place, "--allow-software", "--nonce", nonce, check=0).stdout

    def shape(text):
        lines = re.findall(r"^ *((?:ok|FAIL|-) +\d .*|VERIFIED.*)$", text, re.M)
        return [re.sub(r"\b(?=\w*\d)[0-9a-f]{8,}…?|\b5f3a21c1\b|\b\d+ inputs", "#", line) for line in lines]

    assert shape("\n".join(blocks(ROOT / "README.md", "VERIFIED"))) == shape(said)


def test_the_recipes_for_digests_give_what_the_provenance_says(server, folder):
    source = folder / "source"
    shutil.copytree(ROOT / "Examples/greeting", source, ignore=shutil.ignore_patterns("target"))
    (source / "run me.sh").write_text("true\n")
    (source / "run me.sh").chmod(0o755)
    (source / "link").symlink_to("run me.sh")
    (source / "empty/within").mkdir(parents=True)
    (source / "inner/.git").mkdir(parents=True)
    (source / "inner/.git/HEAD").write_text("ref: refs/heads/main\n")
    subprocess.run(["tar", "-czf", folder / "source.tar.gz", "source"], cwd=folder, check=True)
    cupel_result = folder / "result.tar.gz"
    job, _, outcome = server.build((folder / "source.tar.gz").read_bytes())
    assert outcome == {"status": "ok"}, outcome
    cupel_result.write_bytes(server.result(job)[2])
    run("tar -xzf result.tar.gz", folder)
    provenance = folder / "source/provenance.json"
    said = run(f"jq -c .predicate.buildDefinition.resolvedDependencies[0].digest {provenance}", folder)
    # The bundle was unpacked into the source's folder: only its own files count.
    for name in ["provenance.json", "evidence.json", "build.log", "sbom.cdx.json", "artifacts"]:
        os.rename(source / name, folder / name)
    assert run(block("formats.md", "cupel tree 1\\0"), source).split()[0] in said
    assert "gitTree" not in said, "git cannot hold a .git within"
    (folder / "merkle.py").write_text(block("formats.md", "import hashlib"))
    root = run("/usr/bin/python3 merkle.py provenance.json", folder).strip()
    assert root in run("jq -c .predicate.runDetails.byproducts provenance.json", folder)


def test_the_recipe_for_dirhash_gives_what_the_definition_says(folder):
    """The definition is tested against vendored crates elsewhere; here the shell's recipe is, against the words."""
    files = {"src/lib.rs": b"// lib\n", "Cargo.toml": b"[package]\n", "src/a b.rs": b"", "a/.cargo-checksum.json": b"{}"}
    for path, body in {**files, ".cargo-checksum.json": b"{}"}.items():
        (folder / "crate" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "crate" / path).write_bytes(body)
    lines = "".join(f"{sha256(body)}  {path}\n" for path, body in sorted(files.items()))
    said = run(block("formats.md", "! -path ./.cargo-checksum.json"), folder / "crate")
    assert said.split()[0] == sha256(lines.encode())


def test_the_checks_by_hand_work(bundle, folder):
    place, nonce = bundle
    shutil.copytree(place, folder / "bundle")
    said = run(block("verify.md", "sha256sum provenance.json"), folder / "bundle")
    digest = sha256((place / "provenance.json").read_bytes())
    # `od` shows the report data: digest, nonce, zeros.
    shown = "".join(re.sub(r"^\d{7}", "", line) for line in re.findall(r"^\d{7}(?: [0-9a-f]{2})+$", said, re.M))
    assert re.sub(r"\s", "", shown) == digest + nonce + "00" * 16
    assert digest in said
    assert "Verified Successfully" in run(block("verify.md", "openssl pkeyutl"), folder / "bundle")
    (folder / "bundle/signature").unlink()
    message = (folder / "bundle/evidence.json").read_text()
    (folder / "bundle/evidence.json").write_text(message.replace('"signature":"', '"signature":"AAAA', 1))
    with pytest.raises(AssertionError):
        run(block("verify.md", "openssl pkeyutl"), folder / "bundle")


@pytest.mark.skipif(not (SHARED / "vectors").is_dir(), reason="the shared vectors are not there")
def test_a_report_is_checked_by_hand(folder):
    vectors = SHARED / "vectors"
    shutil.copy(vectors / "snp/milan-v3-microsoft.vek.der", folder / "vcek.der")
    for name in ("ask", "ark"):
        command = ["openssl", "x509", "-inform", "DER", "-in", vectors / f"amd-roots/milan-{name}.der"]
        subprocess.run([*command, "-out", folder / f"{name}.pem"], check=True)
    report = bytearray((vectors / "snp/milan-v3-microsoft.report.bin").read_bytes())
    (folder / "report.bin").write_bytes(report)
    said = run(block("verify.md", "asn1parse"), folder)
    assert "Verified OK" in said and "vcek.pem: OK" in said
    assert report[80:96].hex(" ") in run(block("verify.md", "# MEASUREMENT"), folder)
    report[144] ^= 1
    (folder / "report.bin").write_bytes(report)
    with pytest.raises(AssertionError):
        run(block("verify.md", "asn1parse"), folder)


def test_the_data_folder_is_laid_out_and_closed_as_told(new_server):
    server = new_server()
    job, _, outcome = server.build(tarball(project({}), top="probe"))
    assert outcome == {"status": "ok"}
    rows = re.findall(r"^\| (`[^|]*) \| [^|]* \| [^|]* \|$", (ROOT / "docs/operate.md").read_text(), re.M)
    told = set(re.findall(r"`([^`]+)`", " ".join(rows).replace("ID", job)))
    told |= {f"cupel.sqlite{end}" for end in told if end in ("-wal", "-shm")}
    for path in server.data.rglob("*"):
        name = str(path.relative_to(server.data))
        assert path.is_dir() or name in told, f"docs/operate.md does not tell of {name}"
    modes = {path.name: path.stat().st_mode & 0o777 for path in [server.data, *server.data.iterdir()]}
    assert modes[server.data.name] == modes["workspaces"] == 0o711
    assert {name for name, mode in modes.items() if mode & 0o077} == {server.data.name, "workspaces"}


def test_what_a_machine_says_when_it_fails_is_what_the_page_says():
    """Each message of the table is one of the program's, but for what stands in the place of `…`."""
    source = "\n".join(path.read_text() for path in (ROOT / "Sources").rglob("*.swift"))
    # Sentences are put together of several texts, and a quotation mark within one is escaped.
    source = re.sub(r'"\s*\+\s*"', "", source).replace('\\"', '"')
    table = (ROOT / "docs/machines.md").read_text().partition("## When it fails")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?`) \|", table, re.M)
    assert len(rows) > 10
    for message in re.findall(r"`([^`]+)`", " ".join(rows)):
        parts = [part.strip() for part in re.split("…|\\.\\.\\.", message)]
        for part in [part for part in parts if len(part) > 3]:
            assert part in source, f"no message has {part!r} ({message!r})"
