"""Which version this is: the newest section of CHANGELOG.md, and how far the commit is from it (setuptools-scm).

`0.2.0` where the commit bears the tag v0.2.0, else `0.2.0.dev12+g2c1b653a`: twelve commits after the last tag, or in
all. Of `git archive` the commit, without git at all `0.2.0.dev0`. A source distribution keeps the version it was given.
"""

import re
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools_scm.version import ScmVersion

CHANGES = Path(__file__).with_name("CHANGELOG.md").read_text(encoding="utf-8")
NEWEST = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", CHANGES, re.MULTILINE)[0]


def _tagged(commit: ScmVersion) -> bool:
    return commit.exact and str(commit.tag) == NEWEST


def release(commit: ScmVersion) -> str:
    return NEWEST if _tagged(commit) else f"{NEWEST}.dev{commit.distance}"


def node(commit: ScmVersion) -> str:
    return "" if _tagged(commit) or not commit.node else f"+g{commit.node.removeprefix('g')[:8]}"


class WithManual(build_py):
    """The documents go along, for /help; a checkout reads its own. What an earlier build left does not: it may hold
    modules that are gone."""

    def run(self) -> None:
        if not self.editable_mode:
            shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()
        docs = Path(__file__).with_name("docs")
        for page in () if self.editable_mode else docs.rglob("*.md"):
            if "decisions" not in page.parts:
                to = Path(self.build_lib, "engine/features/guide/manual", page.relative_to(docs))
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(page, to)


setup(
    use_scm_version={"version_scheme": release, "local_scheme": node, "fallback_version": f"{NEWEST}.dev0"},
    cmdclass={"build_py": WithManual},
)
