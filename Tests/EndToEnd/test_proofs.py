# SPDX-License-Identifier: Apache-2.0
"""`cupel prove` and `cupel verify --input-proof`, on real bundles, and against another implementation of RFC 6962."""
import concurrent.futures
import json
import os
import shutil
import subprocess
import tarfile

import jsonschema
import pytest

from conftest import CUPEL, ROOT, cupel

SCHEMA = jsonschema.Draft202012Validator(
    json.loads((ROOT / "docs/schemas/verification-report.schema.json").read_text()))

# Builds the tree anew from the leaves, and verifies the audit paths with the library's own words for them.
INDEPENDENT = """
import json, sys, warnings
warnings.simplefilter("ignore")
from pymerkle import InclusionProof, InmemoryTree, InvalidProof, verify_inclusion

proofs = [json.load(open(path)) for path in sys.argv[2:]]
tree = InmemoryTree(algorithm="sha256")
for leaf in json.load(open(sys.argv[1])):
    tree.append_entry(json.dumps(leaf, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())
size = tree.get_size()
found = []
for proof in proofs:
    theirs = tree.prove_inclusion(proof["leafIndex"] + 1, size)
    leaf = json.dumps(proof["input"], sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    base = tree.hash_buff(leaf)
    path = [base] + [bytes.fromhex(digest) for digest in proof["auditPath"]]
    root = bytes.fromhex(proof["inputMerkleRoot"])

    def verifies(base, path, root):
        ours = InclusionProof("sha256", True, proof["treeSize"], proof["leafIndex"] + 1, theirs.rule, path)
        try:
            verify_inclusion(base, root, ours, size=size)
            return True
        except InvalidProof:
            return False

    other = bytes(32)
    found.append({"same": theirs.path == path, "verifies": verifies(base, path, root),
                  "wrong": verifies(base, path, other) or verifies(other, path, root)
                           or verifies(base, path[:-1] + [other], root)})
print(json.dumps({"root": tree.get_root(size).hex(), "found": found}))
"""


def leaves_of(place):
    """The leaves in their order, as docs/formats.md says."""
    definition = json.loads((place / "provenance.json").read_bytes())["predicate"]["buildDefinition"]
    source, *rest = definition["resolvedDependencies"]
    commit = source["digest"].pop("gitCommit", None)
    first = [{**source, "digest": {"gitCommit": commit}}] if commit else []
    return [*first, source, *rest, *definition["internalParameters"]["tools"]]


def root_of(place):
    byproducts = json.loads((place / "provenance.json").read_bytes())["predicate"]["runDetails"]["byproducts"]
    return next(b["digest"]["sha256"] for b in byproducts if b["name"] == "input_merkle_root")


def prove(place, name, output, check=0):
    return cupel("prove", place, "--dependency", name, "--output", output, check=check)


def called(leaf):
    """What names one input alone: its URI, or a digest."""
    return leaf.get("uri") or ":".join(sorted(leaf["digest"].items())[0])


@pytest.fixture
def proof(crates_bundle, folder):
    path = folder / "regex.json"
    prove(crates_bundle, "pkg:cargo/regex", path)
    return path


def test_every_input_is_proved_as_another_implementation_has_it(crates_bundle, folder, independent_python):
    leaves = leaves_of(crates_bundle)
    assert len(leaves) > 8
    (folder / "leaves.json").write_text(json.dumps(leaves))
    paths = []
    for index, leaf in enumerate(leaves):
        paths.append(folder / f"{index}.json")
        prove(crates_bundle, called(leaf), paths[-1])
        made = json.loads(paths[-1].read_bytes())
        assert made["input"] == leaf and made["leafIndex"] == index and made["treeSize"] == len(leaves)
    options = [option for path in paths for option in ("--input-proof", path)]
    cupel("verify", crates_bundle, "--allow-software", *options, check=0)
    cupel("verify", "--input-merkle-root", root_of(crates_bundle), *options, check=0)
    theirs = independent_python(INDEPENDENT, folder / "leaves.json", *paths)
    assert theirs["root"] == root_of(crates_bundle)
    assert theirs["found"] == [{"same": True, "verifies": True, "wrong": False}] * len(leaves)


def test_the_recipe_for_proofs_gives_their_root(crates_bundle, folder):
    from test_documentation import block, run
    (folder / "root.py").write_text(block("formats.md", "from hashlib import"))
    for leaf in leaves_of(crates_bundle):
        prove(crates_bundle, called(leaf), folder / "proof.json")
        assert run("/usr/bin/python3 root.py proof.json", folder).strip() == root_of(crates_bundle)


def test_a_clone_has_a_leaf_for_its_commit(bundle, crates_bundle):
    """Of an upload there is none: the commit would be nobody's word but the uploader's."""
    for place in (bundle[0], crates_bundle):
        assert not any("gitCommit" in leaf["digest"] for leaf in leaves_of(place))


def test_inputs_are_named_in_several_ways(crates_bundle, folder):
    uri = next(leaf["uri"] for leaf in leaves_of(crates_bundle) if leaf.get("uri", "").startswith("pkg:cargo/regex@"))
    made = [cupel("prove", crates_bundle, "--dependency", name, check=0).stdout for name in ("pkg:cargo/regex", uri, "regex")]
    assert len(set(made)) == 1 and json.loads(made[0])["input"]["uri"] == uri
    for name in ("Cargo.lock", "rustc", "word-count.tar.gz"):
        assert json.loads(cupel("prove", crates_bundle, "--dependency", name, check=0).stdout)["input"]["name"] == name


def test_the_tarball_gives_the_same_proof(crates_bundle, folder):
    with tarfile.open(folder / "b.tar.gz", "w:gz") as archive:
        archive.add(crates_bundle, crates_bundle.name)
    made = [cupel("prove", place, "--dependency", "Cargo.lock", check=0).stdout
            for place in (crates_bundle, folder / "b.tar.gz")]
    assert made[0] == made[1]


@pytest.mark.parametrize("name, said", [
    ("pkg:cargo/none", "no input"), ("pkg:cargo/rege", "no input"), ("", "no input"), ("sha256:00", "no input")])
def test_what_is_no_input_is_not_proved(crates_bundle, folder, name, said):
    done = prove(crates_bundle, name, folder / "proof.json", check=2)
    assert said in done.stderr and not (folder / "proof.json").exists()


def test_a_name_of_several_inputs_lists_them(bundle, folder):
    """Two tools of one name, in provenance of our own making: that the bundle verifies is not asked."""
    shutil.copytree(bundle[0], folder / "copy")
    path = folder / "copy/provenance.json"
    statement = json.loads(path.read_bytes())
    tools = statement["predicate"]["buildDefinition"]["internalParameters"]["tools"]
    tools.append({**tools[-1], "digest": {"sha256": "00" * 32}})
    path.write_text(json.dumps(statement))
    assert "do not trust" in prove(folder / "copy", "Cargo.lock", folder / "p", check=2).stderr
    from test_documentation import block
    (folder / "merkle.py").write_text(block("formats.md", "import hashlib"))
    root = subprocess.run(["/usr/bin/python3", folder / "merkle.py", path], capture_output=True, text=True, check=True)
    byproducts = statement["predicate"]["runDetails"]["byproducts"]
    next(b for b in byproducts if b["name"] == "input_merkle_root")["digest"]["sha256"] = root.stdout.strip()
    path.write_text(json.dumps(statement))
    done = prove(folder / "copy", tools[-1]["name"], folder / "p", check=2)
    assert "2 inputs" in done.stderr and "sha256:" + "00" * 32 in done.stderr
    prove(folder / "copy", "sha256:" + "00" * 32, folder / "p")


def test_a_proof_of_another_bundle_is_refused(bundle, crates_bundle, proof):
    done = cupel("verify", bundle[0], "--allow-software", "--input-proof", proof, "--json", check=1)
    assert {finding["code"] for finding in json.loads(done.stdout)["findings"]} == {"input-proof.root", "input-proof.size"}
    done = cupel("verify", "--input-merkle-root", root_of(bundle[0]), "--input-proof", proof, "--json", check=1)
    assert [finding["code"] for finding in json.loads(done.stdout)["findings"]] == ["input-proof.root"]


def test_a_bundle_that_does_not_verify_is_refused_whatever_the_proof(crates_bundle, proof):
    cupel("verify", crates_bundle, "--input-proof", proof, check=1)


def flipped(proof, folder, *arguments):
    """Verifies a proof with each byte changed in turn; returns the changed texts that verified."""
    body = proof.read_bytes()

    def check(index):
        changed = bytearray(body)
        changed[index] ^= 1 << (index % 8)
        path = folder / f"flipped-{index}.json"
        path.write_bytes(changed)
        command = [CUPEL, "verify", *map(str, arguments), "--input-proof", path]
        return bytes(changed), subprocess.run(command, capture_output=True).returncode

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(check, range(len(body))))
    assert len(results) > 300 and {status for _, status in results} <= {0, 1}
    return [changed for changed, status in results if status == 0]


def test_no_flipped_byte_of_a_proof_verifies_with_the_bundle(bundle, folder):
    prove(bundle[0], "Cargo.lock", folder / "proof.json")
    assert flipped(folder / "proof.json", folder, bundle[0], "--allow-software") == []


def test_no_flipped_byte_of_a_proof_shows_another_input(bundle, folder):
    """A root says nothing of how many inputs there are, so a proof alone may give another number of them."""
    prove(bundle[0], "Cargo.lock", folder / "proof.json")
    good = json.loads((folder / "proof.json").read_bytes())
    for changed in flipped(folder / "proof.json", folder, "--input-merkle-root", root_of(bundle[0])):
        shown = json.loads(changed)
        assert {**shown, "treeSize": good["treeSize"]} == good


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"x", b"\xff\xfe", b"[" * 100000])
def test_what_is_no_proof_is_refused(crates_bundle, folder, body):
    (folder / "proof.json").write_bytes(body)
    for target in ([crates_bundle, "--allow-software"], ["--input-merkle-root", "00" * 32]):
        done = cupel("verify", *target, "--input-proof", folder / "proof.json", "--json", check=1)
        assert "input-proof.malformed" in [finding["code"] for finding in json.loads(done.stdout)["findings"]]


def test_the_reports_meet_the_schema(crates_bundle, proof):
    root = root_of(crates_bundle)
    for arguments in ([crates_bundle, "--allow-software"], ["--input-merkle-root", root], ["--input-merkle-root", "00" * 32]):
        report = json.loads(cupel("verify", *arguments, "--input-proof", proof, "--json").stdout)
        SCHEMA.validate(report)
    alone = json.loads(cupel("verify", "--input-merkle-root", root, "--input-proof", proof, "--json", check=0).stdout)
    assert alone["verdict"] == "verified" and alone["inputs"][0]["uri"].startswith("pkg:cargo/regex@")


@pytest.mark.parametrize("arguments", [
    ["--input-merkle-root", "ROOT"], ["--input-merkle-root", "zz", "--input-proof", "PROOF"], ["--input-proof", "PROOF"],
    ["BUNDLE", "--input-merkle-root", "ROOT", "--input-proof", "PROOF"], ["BUNDLE", "BUNDLE", "--input-proof", "PROOF"],
    ["BUNDLE", "--input-proof", "/nonexistent"], ["--evidence", "PROOF", "--input-proof", "PROOF"],
    ["--input-merkle-root", "ROOT", "--input-proof", "PROOF", "--nonce", "00"],
    ["--input-merkle-root", "ROOT", "--input-proof", "PROOF", "--allow-software"],
    ["--input-merkle-root", "ROOT", "--input-proof", "PROOF", "--at", "now"],
], ids=" ".join)
def test_wrong_usage_exits_with_2(crates_bundle, proof, arguments):
    names = {"ROOT": root_of(crates_bundle), "PROOF": str(proof), "BUNDLE": str(crates_bundle)}
    arguments = [names.get(argument, argument) for argument in arguments]
    short = cupel("verify", *arguments, check=2)
    joined = [f"{name}={value}" for name, value in zip(arguments[::2], arguments[1::2])] if arguments[0][0] == "-" else None
    if joined and len(arguments) % 2 == 0:
        long = cupel("verify", *joined, check=2)
        assert (short.stdout, short.stderr) == (long.stdout, long.stderr)


def test_proofs_are_read_the_same_however_options_are_spelt(crates_bundle, proof):
    root = root_of(crates_bundle)
    for short, long in [
        (["--input-merkle-root", root, "--input-proof", proof, "--input-proof", proof],
         [f"--input-merkle-root={root}", f"--input-proof={proof}", f"--input-proof={proof}"]),
        ([crates_bundle, "--allow-software", "--input-proof", proof],
         [crates_bundle, "--allow-software", f"--input-proof={proof}"]),
    ]:
        (one, two) = cupel("verify", *short, check=0), cupel("verify", *long, check=0)
        assert one.stdout == two.stdout
