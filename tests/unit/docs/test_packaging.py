"""What is shipped for running it: held to the settings, the commands and the metrics of this version."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from typing import Any

import pytest
import yaml
from ground.paths import ROOT
from typer.main import get_command

from config.about import REMOVED
from config.settings import Settings
from engine.admin.settings_view import documents
from workflows.cli import app

PACKAGING = ROOT / "packaging"
METRIC = re.compile(r"\bdondoc_[a-z_]+")


def metrics() -> set[str]:
    source = (ROOT / "engine/views/prometheus.py").read_text()
    gauges = {f"dondoc_{name}" for name in re.findall(r'_gauge\(\s*"([a-z_]+)"', source)}
    histograms = re.findall(r'HistogramMetricFamily\(\s*"([a-z_]+)"', source)
    return gauges | {f"{name}_{part}" for name in histograms for part in ("bucket", "count", "sum")}


def test_the_dashboard_draws_metrics_that_there_are() -> None:
    board = json.loads((PACKAGING / "grafana-dashboard.json").read_text())
    asked = {
        name for panel in board["panels"] for target in panel["targets"] for name in METRIC.findall(target["expr"])
    }
    assert len(asked) > 8
    assert asked <= metrics()
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_the_alert_rules_ask_for_metrics_that_there_are() -> None:
    (group,) = yaml.safe_load((PACKAGING / "prometheus-alerts.yaml").read_text())["groups"]
    asked = {name for rule in group["rules"] for name in METRIC.findall(rule["expr"])}
    assert len(asked) >= len(group["rules"]) - 1
    assert asked <= metrics()
    assert all(rule["annotations"]["summary"] for rule in group["rules"])


@pytest.mark.parametrize("path", list(documents()))
def test_what_names_every_setting_is_made_from_their_fields(path: str) -> None:
    """`python -m engine.admin.settings_view`"""
    assert (ROOT / path).read_text() == documents()[path]
    assert all(f"DONDOC_{name.upper()}" in documents()[path] for name in Settings.model_fields)


def test_a_setting_is_asked_for_only_where_somebody_has_to_answer() -> None:
    """Whoever needs another one asks first who would set it; a constant with a comment is no setting."""
    assert len(Settings.model_fields) <= 54
    assert not set(REMOVED) & set(Settings.model_fields)


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((PACKAGING / "compose.yaml").read_text())["services"]
    return found


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("sqlite", {"setup-sqlite", "dondoc-sqlite"}),
        ("postgres", {"db", "setup-postgres", "dondoc-postgres"}),
        ("prefect", {"db", "setup-postgres", "setup-prefect", "prefect", "deploy", "worker", "dondoc-prefect"}),
    ],
)
def test_a_profile_is_whole(services: dict[str, Any], profile: str, expected: set[str]) -> None:
    mine = {name: each for name, each in services.items() if profile in each["profiles"]}
    assert set(mine) == expected
    assert {other for each in mine.values() for other in each.get("depends_on", {})} <= set(mine)
    assert sum("127.0.0.1:8188:8188" in each.get("ports", ()) for each in mine.values()) == 1


def test_our_containers_can_write_their_data_alone_and_gain_nothing(services: dict[str, Any]) -> None:
    ours = [each for each in services.values() if each["image"] == "dondoc"]
    assert {name for name, each in services.items() if each not in ours} == {"db", "setup-prefect"}
    for each in ours:
        assert each["read_only"] is True
        assert each["cap_drop"] == ["ALL"]
        assert each["security_opt"] == ["no-new-privileges:true"]


def test_the_prefect_server_is_started_as_the_manual_starts_it_and_reports_to_nobody(services: dict[str, Any]) -> None:
    manual = (ROOT / "docs/operating/prefect.md").read_text().partition("prefect --no-prompt server start")[0]
    said = dict(re.findall(r"(PREFECT_SERVER_\w+)=(\w+)", manual))
    given = services["prefect"]["environment"]
    assert set(said) <= set(given)
    for name in ("ANALYTICS_ENABLED", "UI_V2_ENABLED", "UI_SHOW_PROMOTIONAL_CONTENT"):
        assert said[f"PREFECT_SERVER_{name}"] == given[f"PREFECT_SERVER_{name}"] == "false"


def test_the_prefect_server_does_not_start_with_an_empty_string(services: dict[str, Any]) -> None:
    """Its API would let everybody in. Compose's own «:?» looks at every profile: it would stop the two others too."""
    *shell, words, name = services["prefect"]["entrypoint"]
    started = [*shell, words.replace("$$", "$").replace("exec prefect", "echo"), name, "server", "start"]
    found = [
        subprocess.run(
            started, env={"PATH": os.defpath, "PREFECT_SERVER_API_AUTH_STRING": each}, capture_output=True, text=True
        )
        for each in ("", "dondoc:a-word")
    ]
    assert [(each.returncode == 0, each.stdout) for each in found] == [(False, ""), (True, "server start\n")]
    assert "PREFECT_AUTH" in found[0].stderr


def test_the_prefect_server_asks_for_what_its_clients_show_and_has_no_setting_of_ours(services: dict[str, Any]) -> None:
    server = services["prefect"]
    asked = server["environment"]["PREFECT_SERVER_API_AUTH_STRING"]
    assert (server["env_file"], [name for name in server["environment"] if name.startswith("DONDOC_")]) == ([], [])
    for name in ("deploy", "worker", "dondoc-prefect"):
        assert services[name]["environment"]["DONDOC_PREFECT_API_URL"] == f"http://{asked}@prefect:4200/api"


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile"])
def test_both_proxies_lead_to_the_address_where_the_server_listens(name: str) -> None:
    lines = re.findall(r"^\s*(?:proxy_pass http://|reverse_proxy )([^\s;]+);?$", (PACKAGING / name).read_text(), re.M)
    defaults = {each: Settings.model_fields[each].default for each in ("host", "port")}
    assert lines == ["{host}:{port}".format(**defaults)]


def test_every_command_of_compose_is_one_of_ours_with_its_options(services: dict[str, Any]) -> None:
    """Parsed by the real command line, as the container would."""
    seen = 0
    for each in services.values():
        if each["image"] != "dondoc" or "entrypoint" in each:
            continue
        words, command = list(each["command"]), get_command(app)
        while commands := getattr(command, "commands", None):
            command = commands[words.pop(0)]
        command.make_context("dondoc", words)
        seen += 1
    assert seen > 5


def test_every_setting_that_compose_and_the_image_name_exists(services: dict[str, Any]) -> None:
    text = (PACKAGING / "compose.yaml").read_text() + (PACKAGING / "Dockerfile").read_text()
    named = set(re.findall(r"\bDONDOC_([A-Z_]+)\b", text))
    assert named
    assert named <= {name.upper() for name in Settings.model_fields}


def test_the_image_runs_without_rights_is_asked_for_its_health_and_holds_every_package() -> None:
    image = (PACKAGING / "Dockerfile").read_text()
    assert "ARG BASE=" in image
    assert image.count("FROM ${BASE}") == 2
    assert "/readyz" in image
    assert re.search(r"^USER 10001$", image, re.MULTILINE)
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]["include"]
    assert "COPY . ./" in image
    left = (ROOT / ".dockerignore").read_text().splitlines()
    assert {each.rstrip("*") for each in packages}.isdisjoint(left)
    assert {".env", "packaging/.env"} <= set(left)
