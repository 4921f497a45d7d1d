"""The image's build file, the compose file, and what they mount."""

from __future__ import annotations

import re
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import yaml
from image_rehearsal import stages

from certex_bridge.platform.migrations import migrate
from certex_bridge.platform.settings import Settings
from tests.ops.conftest import program
from tests.support.databases import Databases

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
DOCKERFILE = (DOCKER / "Dockerfile").read_text("utf-8")


def compose() -> dict[str, Any]:
    """The compose file, with its merge keys resolved, and nothing set in the environment."""
    text = re.sub(r"\$\{\w+:-([^}]+)\}", r"\1", (DOCKER / "compose.yaml").read_text("utf-8"))
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([str(hadolint), str(DOCKER / "Dockerfile")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_image_is_pinned_unprivileged_and_watched() -> None:
    assert re.search(r"^ARG BASE=\S+:\S+@sha256:[0-9a-f]{64}$", DOCKERFILE, re.MULTILINE)
    assert len(re.findall(r"^FROM \$\{BASE\}", DOCKERFILE, re.MULTILINE)) == 2
    last = DOCKERFILE.rsplit("\nFROM ", 1)[1]
    assert "USER 65532:65532" in last
    assert "HEALTHCHECK" in last
    assert "RUN" not in last, "the second stage gets what the first one built, and nothing else"
    assert 'ENTRYPOINT ["certex-bridge"]' in last


def test_the_rehearsal_reads_every_step_of_the_image() -> None:
    first, second = stages(DOCKERFILE)
    assert (first.name, second.name) == ("build", "")
    assert [word for word, _ in first.steps] == ["ENV", "WORKDIR", "COPY", "RUN", *["COPY"] * 5, "RUN"]
    assert sum(rest.count("&&") for word, rest in first.steps if word == "RUN") == 6
    assert dict(second.steps)["HEALTHCHECK"].endswith('timeout=4)"]')


def test_packages_are_installed_by_hash_and_pip_does_not_stay() -> None:
    installs = re.findall(r"pip install ([^&\\\n]+)", DOCKERFILE)
    assert installs
    assert all("--require-hashes" in one or "--no-deps dist/" in one for one in installs)
    assert "pip uninstall --yes pip" in DOCKERFILE


def test_what_the_image_copies_is_there_and_not_ignored() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE):
        for source in sources.split():
            assert (ROOT / source).exists(), source
    allowed = {line.removeprefix("!").rstrip("/") for line in ignored if line.startswith("!")}
    if "*" in ignored:
        copied = {
            part
            for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
            for part in sources.split()
        }
        assert {
            part for part in copied if not any(part == one or part.startswith(f"{one}/") for one in allowed)
        } == set()


def test_every_service_is_pinned_confined_and_local() -> None:
    document = compose()
    for name, service in document["services"].items():
        tag = service["image"].rpartition(":")[2]
        assert re.fullmatch(r"v?\d+\.\d+(\.\d+)?(-[a-z]+)?", tag), service["image"]
        assert set(service["networks"]) <= set(document["networks"]), name
        assert service.get("read_only") or name == "kafka", f"{name} may write to its own files"
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
        assert not service.get("privileged")
    assert set(document["services"]["grafana"]["networks"]) & {"data"} == set()


def test_compose_and_chart_name_one_base_image_of_postgresql() -> None:
    values = yaml.safe_load((ROOT / "helm" / "certex-bridge" / "values.yaml").read_text("utf-8"))
    tags = {one["image"].rpartition(":")[2] for one in compose()["services"].values() if "postgres:" in one["image"]}
    assert tags == {values["cloudnativepg"]["imageName"].rpartition(":")[2]}


def test_only_the_migration_knows_the_owner_of_the_schema() -> None:
    services = compose()["services"]
    owner = {name for name, one in services.items() if "certex_owner" in str(one)}
    assert owner == {"migrate"}
    assert not [name for name in services["migrate"]["environment"] if "KAFKA" in name]
    for name in ("intake", "worker", "relay", "gateway"):
        assert "//certex_bridge:" in services[name]["environment"]["CERTEX_DATABASE_URL"], name


async def test_the_logins_of_the_compose_file_do_their_work_and_no_other(databases: Databases) -> None:
    """Its script as PostgreSQL runs it, under names that this server has not yet."""
    mark = secrets.token_hex(4)
    script = (DOCKER / "postgres" / "logins.sql").read_text("utf-8")
    script = re.sub(r"^CREATE ROLE certex_app.*\n", "", script, flags=re.MULTILINE)  # the server of the tests has it
    for name in ("certex_owner", "certex_bridge", "DATABASE certex"):
        script = script.replace(name, f"{name}_{mark}")
    url = await databases.create_migrated()  # which makes the role certex_app
    administrator = await asyncpg.connect(url)
    try:
        for statement in filter(None, (part.strip() for part in script.split(";"))):
            await administrator.execute(statement)
        address = f"{{}}@{url.rpartition('@')[2].rpartition('/')[0]}/certex_{mark}"
        owner, bridge = (
            f"postgresql://{name}_{mark}:{word}"
            for name, word in (("certex_owner", "owner"), ("certex_bridge", "bridge"))
        )
        assert await migrate(address.format(owner)) > 0
        application = await asyncpg.connect(address.format(bridge))
        try:
            assert await application.fetchval("SELECT count(*) FROM schema_version") > 0
            for refused in ("CREATE TABLE more (x int)", "DROP TABLE movement", "DELETE FROM movement"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await application.execute(refused)
        finally:
            await application.close()
    finally:
        await administrator.execute(f"DROP DATABASE IF EXISTS certex_{mark} WITH (FORCE)")
        for name in ("certex_owner", "certex_bridge"):
            await administrator.execute(f"DROP ROLE IF EXISTS {name}_{mark}")
        await administrator.close()
        await databases.drop(url)


def test_every_role_is_there_with_settings_that_exist() -> None:
    services = compose()["services"]
    known = {f"CERTEX_{name.upper()}" for name in Settings.model_fields}
    bridges = {name: one for name, one in services.items() if one["image"].startswith("certex-bridge:")}
    for name, one in bridges.items():
        assert set(one["environment"]) <= known, name
        assert one["cap_drop"] == ["ALL"]
        assert one["user"] == "65532:65532"
        assert one["build"] == {"context": "..", "dockerfile": "docker/Dockerfile"}
    roles = {one["environment"].get("CERTEX_ROLES") for one in bridges.values()} - {None}
    assert roles == {"intake", "worker", "relay", "gateway"}
    for one in services.values():
        waits = one.get("depends_on", {})
        for needed in waits:
            assert needed in services
            if isinstance(waits, dict) and waits[needed]["condition"] == "service_healthy":
                assert "healthcheck" in services[needed]


def test_what_is_mounted_is_there_and_read_only() -> None:
    document = compose()
    for name, service in document["services"].items():
        for volume in service.get("volumes", ()):
            source, _, target = volume.partition(":")
            if source.startswith("."):
                assert (DOCKER / source).exists(), f"{name}: {source}"
                assert target.endswith(":ro"), f"{name}: {target}"
            else:
                assert source in document["volumes"]


def test_grafana_finds_its_data_source_and_dashboards() -> None:
    provisioning = DOCKER / "grafana" / "provisioning"
    source = yaml.safe_load((provisioning / "datasources" / "prometheus.yaml").read_text("utf-8"))["datasources"][0]
    assert source["type"] == "prometheus"
    assert source["url"] == "http://prometheus:9090"
    provider = yaml.safe_load((provisioning / "dashboards" / "certex-bridge.yaml").read_text("utf-8"))["providers"][0]
    targets = [volume.split(":")[1] for volume in compose()["services"]["grafana"]["volumes"]]
    assert provider["options"]["path"] in targets


def test_prometheus_and_alertmanager_accept_their_files() -> None:
    checks = (
        ("promtool", "check", "config", "--syntax-only", str(DOCKER / "prometheus" / "prometheus.yaml")),
        ("amtool", "check-config", str(DOCKER / "alertmanager" / "alertmanager.yaml")),
    )
    for name, *arguments in checks:
        done = subprocess.run([program(name), *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_scrapes_every_role() -> None:
    document = yaml.safe_load((DOCKER / "prometheus" / "prometheus.yaml").read_text("utf-8"))
    targets = {
        target for one in document["scrape_configs"] for config in one["static_configs"] for target in config["targets"]
    }
    assert targets == {f"{role}:8081" for role in ("intake", "worker", "relay", "gateway")}


def test_nothing_publishes_the_port_of_probes_and_metrics() -> None:
    assert "CERTEX_HEALTH_HOST=0.0.0.0" in DOCKERFILE
    health = str(Settings.model_fields["health_port"].default)
    assert f"EXPOSE 8080 {health}\n" in DOCKERFILE
    for name, service in compose()["services"].items():
        assert not [port for port in service.get("ports", ()) if port.endswith(f":{health}")], name


def test_a_page_wakes_the_duty_officer_and_a_ticket_does_not() -> None:
    config = str(DOCKER / "alertmanager" / "alertmanager.yaml")
    for severity, receiver in (("page", "duty-officer"), ("ticket", "tickets")):
        command = [program("amtool"), "config", "routes", "test", f"--config.file={config}", f"severity={severity}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.stdout.strip() == receiver, done.stderr
