"""The demonstration in Prefect, as an operator looks things up: by plan, owner, state and lateness."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from ground.serving import AUTH, prefect_serving, shown

from config.settings import DemoSettings
from workflows.projection.projector import Projector
from workflows.projection.shown_runs import count_open
from workflows.run.system import compose
from workflows.simulation.demo import prepare
from workflows.simulation.examples import Example

pytestmark = [pytest.mark.prefect, pytest.mark.deep]
OWNER, PLAN = "cong-an-tinh", "188/KH-UBND"


def test_the_demonstration_s_duties_are_looked_up_by_plan_owner_and_lateness(migrated: Path, tmp_path: Path) -> None:
    home = tmp_path / "prefect"
    home.mkdir()
    system = compose(DemoSettings(_env_file=None, data_dir=tmp_path / "demo", prefect=False))  # type: ignore[call-arg]
    prepare(system, Example.NGHE_AN_2021)
    with system.database.read() as session:
        mine = count_open(session)
    with prefect_serving(home, migrated) as server, httpx.Client(base_url=server.api_url, auth=shown()) as http:
        http.timeout = httpx.Timeout(60)

        def found(**filters: Any) -> list[dict[str, Any]]:
            runs: list[dict[str, Any]] = []
            asked: dict[str, Any] = {"flows": {"name": {"any_": ["dondoc-duty"]}}, "limit": 200}
            asked["flow_runs"] = filters
            while page := http.post("/flow_runs/filter", json=asked | {"offset": len(runs)}).json():
                runs += page
            return runs

        picture = Projector(
            database=system.database,
            api_url=server.api_url,
            auth=AUTH,
            installation="demo",
            base_url="http://127.0.0.1:8188",
            own_clock=True,
        )
        now = system.clock()
        while picture.run(now).runs:
            pass
        runs = found()
        assert len(runs) == mine > 100
        assert {each["state_name"] for each in runs} >= {"Late", "Chờ tiếp nhận", "Đã xác nhận"}
        assert len(found(tags={"all_": [PLAN]})) == len(runs)
        owned = found(tags={"all_": [PLAN, OWNER]})
        assert 0 < len(owned) < len(runs)
        assert len({each["name"].split(" · ")[1] for each in owned}) == 1
        while picture.run(now + timedelta(days=120)).runs:  # the third quarter's reports are overdue by then
            pass
        late = found(state={"name": {"any_": ["Late"]}})
        states = Counter(each["state_name"] for each in found())
        print(states)
        assert len(late) == states["Late"] > sum(each["state_name"] == "Late" for each in runs)
    system.database.dispose()
