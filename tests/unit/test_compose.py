"""compose.yaml says what the product understands."""

import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from pydantic import AliasChoices

from api.cli import app
from infra.settings import Settings

ROOT = Path(__file__).parents[2]
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}


def known_variables() -> set[str]:
    prefix = Settings.model_config["env_prefix"]
    names = set()
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        names |= {str(each) for each in alias.choices} if isinstance(alias, AliasChoices) else {prefix + name.upper()}
    return names


def test_every_process_of_ours_is_there() -> None:
    assert OURS.keys() == {"migrate", "serve", "relay", "consume"}


@pytest.mark.parametrize("service", OURS)
def test_its_command_is_one_of_the_command_line(service: str) -> None:
    told = OURS[service]["command"]
    name, *words = shlex.split(told) if isinstance(told, str) else told
    commands = typer.main.get_command(app)
    commands.get_command(typer.Context(commands), name).make_context(name, words)


@pytest.mark.parametrize("service", OURS)
def test_its_environment_is_of_known_settings(service: str) -> None:
    assert OURS[service]["environment"].keys() <= known_variables()


@pytest.mark.parametrize("service", OURS)
def test_what_it_waits_for_is_there_and_says_when_it_is_ready(service: str) -> None:
    for other, until in OURS[service]["depends_on"].items():
        ends = until["condition"] == "service_completed_successfully"
        assert SERVICES[other]["restart"] == "on-failure" if ends else "healthcheck" in SERVICES[other]


def test_what_must_outlive_a_container_is_on_a_volume() -> None:
    (postgres,) = SERVICES["postgres"]["volumes"]
    assert postgres.partition(":")[2] == "/var/lib/postgresql"
    (kafka,) = SERVICES["kafka"]["volumes"]
    assert kafka.partition(":")[2] == SERVICES["kafka"]["environment"]["KAFKA_LOG_DIRS"]


def test_the_broker_is_of_the_version_that_the_tests_run_on() -> None:
    version = SERVICES["kafka"]["image"].partition(":")[2]
    assert f"<kafka.version>{version}</kafka.version>" in (ROOT / "infra" / "kafka" / "pom.xml").read_text()


def test_what_the_image_installs_is_what_is_tested() -> None:
    tested = (ROOT / "requirements" / "dev.lock").read_text()
    installed = (ROOT / "requirements" / "run.lock").read_text()
    pins = [line.split(" ")[0] for line in installed.splitlines() if "==" in line]
    assert "psycopg2-binary" in installed
    assert [pin for pin in pins if f"{pin} " not in tested] == []
