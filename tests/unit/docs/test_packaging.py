"""What is shipped for running it: held to the settings, the commands and the metrics of this version."""

from __future__ import annotations

import json
import re

from ground.paths import ROOT

PACKAGING = ROOT / "packaging"
METRIC = re.compile(r"\bdondoc_[a-z_]+")


def test_the_dashboard_draws_metrics_that_there_are() -> None:
    board = json.loads((PACKAGING / "grafana-dashboard.json").read_text())
    asked = {name for panel in board["panels"] for target in panel["targets"] for name in METRIC.findall(target["expr"])}
    source = (ROOT / "engine/views/prometheus.py").read_text()
    there = {f"dondoc_{name}" for name in re.findall(r'_gauge\(\s*"([a-z_]+)"', source)}
    assert len(asked) > 8
    assert asked <= there
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
