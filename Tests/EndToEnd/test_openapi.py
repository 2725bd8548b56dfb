# SPDX-License-Identifier: Apache-2.0
"""The running service against its own description, by schemathesis, which makes requests from it: no server error, and
no answer that is not described. CUPEL_THOROUGH=1 makes ten times as many."""
import json
import os
import pathlib
import re
import subprocess

import pytest

from conftest import ROOT, THOROUGH, project, tarball

HOOKS = pathlib.Path(__file__).with_name("schemathesis_hooks.py")

VALIDATE = """
import json, sys
from openapi_spec_validator import OpenAPIV31SpecValidator

document = json.load(open(sys.argv[1]))
changed = json.loads(json.dumps(document))
changed["paths"]["/health"]["get"]["responses"]["200"].pop("description")
print(json.dumps([[error.message for error in OpenAPIV31SpecValidator(d).iter_errors()] for d in (document, changed)]))
"""

CONFIGURATION = """
[dictionaries.jobs]
values = {jobs}

[parameters]
"path.id" = {{ dictionary = "jobs", probability = 0.5 }}
"""


@pytest.fixture(scope="module")
def description(server):
    return json.loads(server.call("GET", "/openapi.json")[2])


def test_the_description_is_openapi(description, folder, independent_python):
    (folder / "openapi.json").write_text(json.dumps(description))
    errors, control = independent_python(VALIDATE, folder / "openapi.json")
    assert errors == [] and control
    assert description["openapi"].startswith("3.1.")


def test_the_service_answers_as_it_is_described(new_server, description, independent_python, folder):
    server = new_server(environment={"CUPEL_QUEUE_LENGTH": "100000"})
    good, _, outcome = server.build(tarball(project({}), top="probe"))
    assert outcome == {"status": "ok"}, outcome
    failed, _, outcome = server.build(tarball({"README": "nothing to build"}, top="probe"))
    (folder / "schemathesis.toml").write_text(CONFIGURATION.format(jobs=json.dumps([good, failed])))
    command = [
        ROOT / ".build/test-python/bin/schemathesis", "--config-file", folder / "schemathesis.toml",
        "run", f"{server.url}/openapi.json", "--seed", "6", "--max-examples", "600" if THOROUGH else "60",
        "--continue-on-failure", "--request-timeout", "60", "--no-color",
        # DELETE cancels a build and keeps it: its readers learn of its end.
        "--exclude-checks", "use_after_free"]
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": HOOKS.stem, "PYTHONPATH": HOOKS.parent}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stdout[-20000:] + done.stderr
    tested = re.search(r"Tested: (\d+)", done.stdout)
    assert tested and int(tested[1]) >= 7, done.stdout
    print(re.search(r"Test cases:\n.*", done.stdout)[0])
    assert server.process.poll() is None and not re.search(r"Z (error|critical) ", server.log_text()), server.log_text()
