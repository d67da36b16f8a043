"""The first request of README.md, pasted as it stands."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.sdk.conftest import ROOT, SDK_PYTHON

pytestmark = pytest.mark.sdk

README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENT, PROGRAM = re.search(r"```json\n(.*?)```.*?```python\n(.*?)```", README, re.DOTALL).groups()


def test_the_first_request_of_the_readme_prints_what_it_says(served_url, tmp_path):
    if not SDK_PYTHON.exists():
        pytest.skip("the vendor's SDK is not installed: `make test-sdk` installs it into .venv-sdk")
    (tmp_path / "plates.json").write_text(DOCUMENT)
    (tmp_path / "deployments").symlink_to(ROOT / "deployments")
    program = PROGRAM.replace("http://127.0.0.1:9001", served_url)
    said = subprocess.run([SDK_PYTHON, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert said.stdout.strip() == "['SL27GHT']", said.stderr
