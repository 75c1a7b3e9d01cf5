"""The wheel holds all that the product reads: it serves from a folder where nothing of this one is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import httpx
import pytest
from crash.forms import wait_until
from ground.paths import ROOT
from ground.serving import SOON, free_port, status

PACKAGES = {"config", "engine", "notifications", "workflows"}
START = "from workflows.cli import main; main()"


@pytest.mark.deep
def test_a_wheel_serves_the_demonstration_elsewhere(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for name in PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "docs", source / "docs", ignore=shutil.ignore_patterns("screenshots"))
    for name in ("pyproject.toml", "setup.py", "CHANGELOG.md", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    (source / "build/lib/engine").mkdir(parents=True)
    (source / "build/lib/engine/gone.py").touch()  # of a build before the module left
    words = ["wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(source)]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True, timeout=300, cwd=tmp_path)
    (wheel,) = tmp_path.glob("dondoc-*.whl")
    with ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "installed")
        names = packed.namelist()
    assert "engine/gone.py" not in names
    assert {name.partition("/")[0] for name in names if "dist-info" not in name} == PACKAGES
    port = free_port()
    environment = {"PYTHONPATH": str(tmp_path / "installed"), "DONDOC_DATA_DIR": str(tmp_path / "data")}
    demo = subprocess.Popen(
        [sys.executable, "-c", START, "demo", "--no-prefect", "--port", str(port)],
        env={**os.environ, **environment},
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        assert wait_until(lambda: status(f"{address}/readyz") == httpx.codes.OK, SOON)
        for path in ("/", "/overdue", "/leadership", "/letters", "/plans/1", "/guide", "/help/operating/mail", "/api"):
            assert status(address + path) == httpx.codes.OK, path
        where = "import workflows.cli; print(workflows.cli.__file__)"
        told = subprocess.check_output([sys.executable, "-c", where], env={**os.environ, **environment}, cwd=tmp_path)
        assert Path(told.decode().strip()).is_relative_to(tmp_path / "installed")
    finally:
        demo.terminate()
        demo.wait(SOON)
