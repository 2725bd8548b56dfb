# SPDX-License-Identifier: Apache-2.0
"""The bill of materials in a bundle, by CycloneDX's own schema; and the provenance, by in-toto's own bindings."""
import json
import pathlib
import shutil
import tempfile

import pytest

from conftest import ROOT, cupel, project, sha256, tarball, unpack
from file_server import FileServer
from nix_flakes import LIBRARY, NIX, OTHER, Flakes, assert_digests, download, nix
from nix_flakes import maker  # noqa: F401: a fixture
from test_sources import commit_repository, git, publish, repositories  # noqa: F401: a fixture

VALIDATE = """
import json, sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

def errors(text):
    found = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text, all_errors=True)
    return [str(error.data) for error in found or []]

text = open(sys.argv[1]).read()
bill = json.loads(text)
changed = []
for change in ({"specVersion": 1.6}, {"serialNumber": "1"}, {"more": 1}, {"components": [{"name": "a"}]},
               {"components": [{"name": "a", "type": "library", "hashes": [{"alg": "SHA-256", "content": "x"}]}]}):
    changed.append(len(errors(json.dumps({**bill, **change}))))
print(json.dumps({"errors": errors(text), "changed": changed}))
"""

PARSE = """
import json, sys
from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement

text = open(sys.argv[1]).read()
statement = Statement.copy_from_pb(json_format.Parse(text, statement_pb2.Statement()))
statement.validate()
predicate = json.dumps(json.loads(text)["predicate"])
provenance = json_format.Parse(predicate, provenance_pb2.Provenance())
descriptors = [*provenance.build_definition.resolved_dependencies, *provenance.run_details.byproducts]
for descriptor in [*statement.pb.subject, *descriptors]:
    ResourceDescriptor.copy_from_pb(descriptor).validate()
print(json.dumps({"type": statement.pb.type, "subjects": [s.name for s in statement.pb.subject],
                  "dependencies": len(provenance.build_definition.resolved_dependencies),
                  "byproducts": [b.name for b in provenance.run_details.byproducts]}))
"""


DOWNLOADS = {"sha256": b"a download\n", "sha512": b"another download\n"}


@pytest.fixture(scope="module")
def nix_bundle(request):
    """The bundle of a flake with all kinds of inputs but those of a cache, with a link among its artifacts, and with an
    artifact that names a store path; as a folder."""
    if not NIX.exists():
        pytest.skip("Nix is not installed; Scripts/requirements tests installs it")
    made = request.getfixturevalue("maker")
    with tempfile.TemporaryDirectory(prefix="cupel-test-", dir="/tmp") as path, FileServer().running() as files:
        folder = pathlib.Path(path)
        folder.chmod(0o755)
        files.files.update({f"/{kind}": body for kind, body in DOWNLOADS.items()})
        files.files["/library.tar.gz"] = tarball(LIBRARY, top="library")
        files.files["/file"] = b"fetched by the evaluation\n"
        file = f'builtins.fetchurl {{ url = "{files.url}/file"; sha256 = "{sha256(files.files["/file"])}"; }}'
        steps = [f'"show" "${{{download(f"{files.url}/{kind}", kind, body)}}}"' for kind, body in DOWNLOADS.items()]
        other = "${inputs.self.packages.${system}.other}/text"
        flakes = Flakes(folder, made)
        source = flakes.write(
            f'make "tools" [ {" ".join(steps)} "show" "${{{file}}}" "folder" out "write" "${{out}}/text" '
            f'inputs.library.text "program" "${{out}}/tool" "#!{other}" "link" "${{out}}/link" "tool" ]',
            head=f'inputs.library.url = "{files.url}/library.tar.gz";', packages=OTHER)
        nix(folder, "flake", "lock", f"path:{source}")
        yield flakes.build_folder(source).good().folder


@pytest.fixture(params=["bundle", "crates_bundle", "nix_bundle"])
def place(request):
    found = request.getfixturevalue(request.param)
    return found[0] if request.param == "bundle" else found


def statement(place):
    return json.loads((place / "provenance.json").read_bytes())


def test_the_schema_of_cyclonedx_is_met(place, independent_python):
    found = independent_python(VALIDATE, place / "sbom.cdx.json")
    assert found["errors"] == []
    assert all(count > 0 for count in found["changed"]), "the validator finds nothing wrong in what is wrong"


def test_the_bindings_of_in_toto_read_the_provenance(place, independent_python):
    found = independent_python(PARSE, place / "provenance.json")
    ours = statement(place)
    assert found["type"] == ours["_type"]
    assert found["subjects"] == [subject["name"] for subject in ours["subject"]]
    assert found["dependencies"] == len(ours["predicate"]["buildDefinition"]["resolvedDependencies"])
    assert "sbom.cdx.json" in found["byproducts"]


def test_every_digest_of_the_provenance_is_hexadecimal(place):
    assert_digests(statement(place))


def test_the_inputs_of_a_flake_are_listed_with_their_hashes(nix_bundle):
    predicate = statement(nix_bundle)["predicate"]
    dependencies = predicate["buildDefinition"]["resolvedDependencies"][2:]
    components = json.loads((nix_bundle / "sbom.cdx.json").read_bytes())["components"]
    assert [component["purl"] for component in components] == [d["uri"] for d in dependencies]
    kinds = [dependency["annotations"].get("kind", "input") for dependency in dependencies]
    # Older Nix keeps the input's archive beside what was in it: one source more.
    assert sorted(kinds) in (["fixedOutput", "fixedOutput", "input", *["source"] * count] for count in (1, 2))
    for kind, component, dependency in zip(kinds, components, dependencies):
        digest = dependency["digest"]
        if kind == "input":
            # It is the digest of an archive that Nix makes of the files, which is no file's.
            assert "hashes" not in component
            assert {"name": "cupel:digest:sha256", "value": digest["sha256"]} in component["properties"]
        else:
            names = {"sha256": "SHA-256", "sha512": "SHA-512"}
            assert component["hashes"] == [{"alg": names[name], "content": value} for name, value in digest.items()]
    byproducts = {b["name"] for b in predicate["runDetails"]["byproducts"]}
    assert {"artifact_links", "runtime_store_paths", "sbom.cdx.json"} <= byproducts


def test_every_dependency_is_listed_and_the_digest_is_stated(crates_bundle):
    body = (crates_bundle / "sbom.cdx.json").read_bytes()
    bill = json.loads(body)
    predicate = statement(crates_bundle)["predicate"]
    dependencies = predicate["buildDefinition"]["resolvedDependencies"][2:]
    assert len(dependencies) > 3
    assert [component["purl"] for component in bill["components"]] == [d["uri"] for d in dependencies]
    assert [(c["name"], c["version"]) for c in bill["components"]] == [
        tuple(d["uri"].removeprefix("pkg:cargo/").split("@")) for d in dependencies]
    # Vendored crates have the digest of their folder, which is no file's.
    for component, dependency in zip(bill["components"], dependencies):
        assert "hashes" not in component
        assert {"name": "cupel:digest:dirHash", "value": dependency["digest"]["dirHash"]} in component["properties"]
    assert bill["metadata"]["component"]["name"] == "word-count"
    assert bill["metadata"]["timestamp"] == predicate["runDetails"]["metadata"]["finishedOn"]
    named = [b for b in predicate["runDetails"]["byproducts"] if b["name"] == "sbom.cdx.json"]
    assert named == [{"name": "sbom.cdx.json", "digest": {"sha256": sha256(body)},
                      "mediaType": "application/vnd.cyclonedx+json"}]


def test_sources_and_dependencies_from_git_are_listed_by_their_commits(server, folder, repositories, independent_python):
    served, url = repositories
    dependency = commit_repository(folder, "dependency", {
        "Cargo.toml": '[package]\nname = "dependency"\nversion = "0.2.0"\nedition = "2021"\n', "src/lib.rs": ""})
    publish(dependency, served, "dependency")
    commit = git(dependency, "rev-parse", "HEAD")
    source = f"git+{url}/dependency.git?rev={commit}#{commit}"
    work = commit_repository(folder, "hello", project({
        "Cargo.toml": '[package]\nname = "probe"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\n'
                      f'dependency = {{ git = "{url}/dependency.git", rev = "{commit}" }}\n',
        "Cargo.lock": f'version = 3\n\n[[package]]\nname = "dependency"\nversion = "0.2.0"\nsource = "{source}"\n\n'
                      '[[package]]\nname = "probe"\nversion = "0.1.0"\ndependencies = [\n "dependency",\n]\n'}))
    publish(work, served, "hello")
    job = server.submit_git(f"{url}/hello.git", "main")
    assert server.events(job)[-1]["result"] == {"status": "ok"}
    (folder / "sbom.json").write_bytes(unpack(server.result(job)[2])["sbom.cdx.json"])
    assert independent_python(VALIDATE, folder / "sbom.json")["errors"] == []
    bill = json.loads((folder / "sbom.json").read_bytes())
    component, built = bill["components"][0], bill["metadata"]["component"]
    assert built["name"] == "hello" and built["version"] == git(work, "rev-parse", "HEAD")
    assert built["externalReferences"] == [{"type": "vcs", "url": f"{url}/hello.git"}]
    assert (component["name"], component["version"]) == ("dependency", "0.2.0") and "hashes" not in component
    assert {"name": "cupel:digest:gitCommit", "value": commit} in component["properties"]
    assert [reference["type"] for reference in component["externalReferences"]] == ["vcs"]
    assert component["externalReferences"][0]["url"].startswith(f"{url}/dependency.git")


@pytest.mark.parametrize("change, code", [
    (lambda path: path.write_bytes(path.read_bytes().replace(b"CycloneDX", b"CycloneDY")), "file.digest"),
    (lambda path: path.unlink(), "file.missing"),
    (lambda path: path.rename(path.with_name("sbom.json")), "file.missing"),
], ids=["changed", "missing", "renamed"])
def test_another_bill_of_materials_is_refused(bundle, folder, change, code):
    shutil.copytree(bundle[0], folder / "copy")
    change(folder / "copy/sbom.cdx.json")
    done = cupel("verify", folder / "copy", "--allow-software", "--json", check=1)
    assert code in [finding["code"] for finding in json.loads(done.stdout)["findings"]]


def test_the_versions_of_the_checkers_are_pinned():
    for line in (ROOT / "Tests/EndToEnd/requirements.txt").read_text().splitlines():
        assert line.startswith("#") or "==" in line, line
