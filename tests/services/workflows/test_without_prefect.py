"""Prefect's package may be taken away: everything but its own commands goes on, and those say what is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from crash.forms import wait_until
from ground.paths import ROOT
from ground.serving import SOON, free_port, status

START = "from workflows.cli import main; main()"
AWAY = """import sys
class Away:
    @staticmethod
    def find_spec(name, path, target=None):
        if name.partition(".")[0] == "prefect":
            raise ModuleNotFoundError("No module named 'prefect'", name="prefect")
sys.meta_path.insert(0, Away)
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "sitecustomize.py").write_text(AWAY)
    told = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "DONDOC_DATA_DIR": str(tmp_path / "data")}
    return {**os.environ, **told}


@pytest.mark.parametrize("words", [("deploy", "--pool", "x"), ("worker", "--pool", "x"), ("key",)])
def test_each_command_of_prefect_says_in_a_sentence_what_is_missing(
    environment: dict[str, str], words: tuple[str, ...]
) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", START, "prefect", *words], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 2
    assert ran.stderr.startswith("Máy này không có gói prefect")
    assert len(ran.stderr.splitlines()) == 1


@pytest.mark.parametrize("words", [pytest.param((), marks=pytest.mark.deep), ("--no-prefect",)])
def test_the_demonstration_runs_without_it(environment: dict[str, str], tmp_path: Path, words: tuple[str, ...]) -> None:
    port, log = free_port(), tmp_path / "log"
    with log.open("w") as told:
        demo = subprocess.Popen(
            [sys.executable, "-c", START, "demo", "--port", str(port), *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            stderr=told,
        )
    try:
        assert wait_until(lambda: status(f"http://127.0.0.1:{port}/readyz") == httpx.codes.OK, SOON)
        assert status(f"http://127.0.0.1:{port}/overdue") == httpx.codes.OK
    finally:
        demo.terminate()
        demo.wait(SOON)
    assert ("không có gói prefect" in log.read_text()) is (not words)
