"""Which version a build says: of a commit, a tag, an archive, without git, and of a source distribution."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from ground.paths import ROOT

NEEDED = ("pyproject.toml", "setup.py", "CHANGELOG.md", "README.md", "LICENSE", ".gitattributes", ".git_archival.txt")
ASK = "import build.util as b; print(b.project_wheel_metadata('.', isolated=False)['Version'])"
NEXT = re.findall(r"^## \[([\d.]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[0]


def _git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=build", "-c", "user.email=build@example", "-c", "init.defaultBranch=main")
    return subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def _version(folder: Path) -> str:
    done = subprocess.run([sys.executable, "-c", ASK], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.splitlines()[-1]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    (folder / "config").mkdir(parents=True)
    (folder / "config/__init__.py").touch()
    for name in NEEDED:
        shutil.copy2(ROOT / name, folder)
    _git(folder, "init", "--quiet")
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--message", "one")
    _git(folder, "commit", "--quiet", "--allow-empty", "--message", "two")
    return folder


def _archive(checkout: Path, to: Path) -> Path:
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir()
    _git(checkout, "archive", "--output", str(to / "it.tar"), "HEAD")
    with tarfile.open(to / "it.tar") as archive:
        archive.extractall(to, filter="data")
    return to


def test_a_commit_a_tag_and_an_archive_of_each_say_which_version_they_are(checkout: Path, tmp_path: Path) -> None:
    commit = _git(checkout, "rev-parse", "--short=8", "HEAD")
    assert _version(checkout) == f"{NEXT}.dev2+g{commit}"
    assert _version(_archive(checkout, tmp_path / "archive")) == f"{NEXT}.dev0+g{commit}"
    _git(checkout, "tag", f"v{NEXT}")
    assert _version(checkout) == NEXT
    assert _version(_archive(checkout, tmp_path / "archive")) == NEXT


def test_without_git_the_version_is_the_next_one_and_a_source_distribution_keeps_its_own(
    checkout: Path, tmp_path: Path
) -> None:
    (build := tmp_path / "build").mkdir()
    subprocess.run(
        [sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", build, checkout],
        check=True,
        capture_output=True,
    )
    commit = _git(checkout, "rev-parse", "--short=8", "HEAD")
    [made] = build.glob("*.tar.gz")
    with tarfile.open(made) as archive:
        archive.extractall(build, filter="data")
    assert made.name == f"dondoc-{NEXT}.dev2+g{commit}.tar.gz"
    assert _version(build / made.name.removesuffix(".tar.gz")) == f"{NEXT}.dev2+g{commit}"

    shutil.rmtree(checkout / ".git")
    (checkout / ".git_archival.txt").unlink()
    for left in checkout.glob("*.egg-info"):
        shutil.rmtree(left)
    assert _version(checkout) == f"{NEXT}.dev0"
