"""The bundle and the Debian package, made and walked on bare systems (packaging/walk)."""

from __future__ import annotations

import subprocess

import pytest
from ground.paths import ROOT

NO_BASE_SYSTEM = 3
WALKED = (
    "lintian: no errors",
    "installed, started, asked; spoiled files were refused",
    "installed, started, asked, upgraded, removed, purged; what the office keeps is there",
)


@pytest.mark.deep
def test_an_office_without_the_internet_installs_upgrades_and_removes_it() -> None:
    """Where no base system can be made, as in some containers, it says so and walks nothing."""
    done = subprocess.run(["bash", "packaging/walk"], cwd=ROOT, capture_output=True, text=True, timeout=2400)
    print(done.stdout)
    if done.returncode == NO_BASE_SYSTEM:
        assert "nothing was walked" in done.stderr
    else:
        assert done.returncode == 0, done.stderr
        assert [line for line in WALKED if line not in done.stdout] == []
