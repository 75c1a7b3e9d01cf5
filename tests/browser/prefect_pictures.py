"""Takes the pictures of docs/operating/prefect.md again: the demonstration as a real Prefect server shows it.

PYTHONPATH=.:tests python -m browser.prefect_pictures
"""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from browser.conftest import CHROMIUM, FLAGS
from ground.paths import ROOT
from ground.serving import AUTH, prefect_serving, shown
from playwright.sync_api import Page, sync_playwright

from config.settings import DemoSettings
from workflows.projection.shown_runs import ABOVE
from workflows.run.system import compose
from workflows.serving.heartbeat import projector
from workflows.simulation.demo import prepare
from workflows.simulation.examples import Example

FOLDER = ROOT / "docs/operating/prefect"
WIDE, BAR = 780, 54
"""So narrow a page has a bar above in place of its navigation."""
LISTED = 700
"""Of the page Runs what stands below its histogram."""


def taken(page: Page, name: str, tall: int, top: int = BAR) -> None:
    page.set_viewport_size({"width": WIDE, "height": top + tall})
    page.wait_for_timeout(1500)
    clip: Any = {"x": 0, "y": top, "width": WIDE, "height": tall}
    page.screenshot(path=FOLDER / f"{name}.png", clip=clip)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory() as made, prefect_serving(Path(made), Path(made, "none")) as server:
        told: dict[str, Any] = {"data_dir": Path(made) / "demo", "prefect_api_url": server.api_url}
        system = compose(DemoSettings(_env_file=None, **told))
        prepare(system, Example.NGHE_AN_2021)
        picture = projector(system)
        picture.auth = AUTH
        while picture.run(system.clock()).runs:
            pass
        time.sleep(ABOVE.total_seconds())
        with httpx.Client(base_url=server.api_url, auth=shown(), timeout=60) as http:
            late = {"flow_runs": {"state": {"name": {"any_": ["Late"]}}}, "limit": 200}
            runs = http.post("/flow_runs/filter", json=late).json()
            run = next(each["id"] for each in runs if "IV.16.2 · UBND H. Anh Sơn" in each["name"])
            (table,) = http.post("/artifacts/latest/filter", json={}).json()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = browser.new_context(timezone_id="Asia/Ho_Chi_Minh").new_page()
            word = json.dumps(base64.b64encode(AUTH.encode()).decode())
            page.add_init_script(f"localStorage.setItem('prefect-password', {word})")

            def goes(path: str) -> None:
                page.goto(f"http://127.0.0.1:{server.port}{path}")
                page.wait_for_timeout(4000)

            goes(system.settings.prefect_overdue.removeprefix(system.settings.prefect_pages))
            taken(page, "overdue", 480, LISTED)
            goes(f"/runs/flow-run/{run}")
            taken(page, "run", 1180)
            goes(f"/runs/flow-run/{run}?tab=Parameters")
            taken(page, "parameters", 560, 300)
            goes(f"/artifacts/artifact/{table['latest_id']}")
            taken(page, "plan", 420)
            browser.close()
        system.database.dispose()


if __name__ == "__main__":
    main()
