"""Dockerfile and compose file keep what docs/docker.md promises, as far as they can be read."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from pnyx_agents.cli.main import group

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "deploy" / "docker"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
OURS = ("daemon", "signer")


def stages() -> list[list[tuple[str, str]]]:
    """The instructions of each stage with their arguments; lines that go on are joined."""
    text = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
    text = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    found: list[list[tuple[str, str]]] = []
    for line in filter(None, text.splitlines()):
        name, _, arguments = line.partition(" ")
        if name == "FROM":
            found.append([])
        found[-1].append((name, re.sub(r"\s+", " ", arguments.strip())))
    return found


def of(stage: list[tuple[str, str]], name: str) -> list[str]:
    return [arguments for instruction, arguments in stage if instruction == name]


FINAL = stages()[-1]


def copied() -> list[str]:
    """What comes from the checkout, in any stage."""
    copies = [shlex.split(arguments) for stage in stages() for arguments in of(stage, "COPY")]
    return [source for words in copies if not words[0].startswith("--from") for source in words[:-1]]


def test_the_bases_are_pinned_by_tag() -> None:
    bases = [base.split()[0] for stage in stages() for base in of(stage, "FROM")]
    assert all(re.fullmatch(r"[a-z]+:\d[\w.-]+", base) for base in bases), bases
    assert re.search(r"python:(3\.\d+)", bases[-1])[1] in {
        classifier.rpartition(" ")[2] for classifier in PROJECT["classifiers"]
    }
    assert bases[-1] == bases[-2], "compiled for another Python than the one that runs it"


def test_what_is_copied_exists_and_gets_past_dockerignore() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    allowed = [rule[1:] for rule in rules if rule.startswith("!")]
    assert rules[0] == "*", "what is not named must stay out"
    for source in copied():
        assert (ROOT / source).exists(), source
        assert any(source == name or source.startswith(f"{name}/") for name in allowed), source
    assert [name for name in allowed if not any(s == name or s.startswith(f"{name}/") for s in copied())] == []
    assert {"explorer/node_modules", "agents/pnyx_agents/page"} <= set(rules)


def test_all_that_the_wheel_is_made_of_is_there() -> None:
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(packages["packages"]) | {PROJECT["readme"], "LICENSE", "uv.lock"} <= set(copied())


def test_no_layer_holds_a_secret() -> None:
    named = [arguments for stage in stages() for name in ("ENV", "ARG") for arguments in of(stage, name)]
    assert not re.search(r"(KEY|TOKEN|PASSWORD|SECRET)\w*=", " ".join(named))


def test_the_extras_are_those_of_the_project() -> None:
    extras = re.findall(r"--extra (\w+)", (DOCKER / "Dockerfile").read_text(encoding="utf-8"))
    assert set(extras) == set(PROJECT["optional-dependencies"]) - {"fast"}


def test_nobody_is_root() -> None:
    (user,) = of(FINAL, "USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user), "a number, so that an orchestrator sees that it is not root"
    names = [name for name, _ in FINAL]
    assert not {"RUN", "COPY", "ADD"} & set(names[names.index("USER") :])
    assert {COMPOSE["services"]["signer"]["user"]}.isdisjoint({user}), "the signer has a user of its own"


def test_the_command_is_one_of_ours() -> None:
    (program,) = json.loads(of(FINAL, "ENTRYPOINT")[0])
    assert program in PROJECT["scripts"]
    context = click.Context(group)
    for words in (json.loads(of(FINAL, "CMD")[0]), COMPOSE["services"]["signer"]["command"]):
        command = group.get_command(context, words[0])
        assert command is not None, words
        assert set(words[1::2]) <= {option for parameter in command.params for option in parameter.opts}


def test_health_is_asked_where_it_is_served() -> None:
    (health,), (port,) = of(FINAL, "HEALTHCHECK"), of(FINAL, "EXPOSE")
    assert f"http://127.0.0.1:{port}/healthz" in health
    assert f"port = {port}" in (ROOT / "docs" / "docker.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", OURS)
def test_a_service_is_tight(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "tmpfs", "network_mode", "pid"} & service.keys()
    exposed = [port for port in service.get("ports", []) if not port.startswith("127.0.0.1:")]
    assert exposed == []


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_a_service_can_be_left_alone(name: str) -> None:
    """`on-failure` starts nothing that ended in peace with the machine; Docker's usual logs grow without end."""
    service = COMPOSE["services"][name]
    assert service["restart"] == "unless-stopped"
    assert service["logging"] == {"driver": "local"}


@pytest.mark.parametrize("name", OURS)
def test_a_service_can_be_stopped_while_it_starts(name: str) -> None:
    """A first process of a container gets no signal that it has not asked for yet."""
    assert COMPOSE["services"][name]["init"] is True


@pytest.mark.parametrize("name", OURS)
def test_only_volumes_are_written_and_the_image_has_their_folders(name: str) -> None:
    """A new volume takes owner and mode from the folder in the image."""
    made = re.findall(r"install -d -o (\d+) -g (\d+) -m \d+ (\S+)", " ".join(of(FINAL, "RUN")))
    owners = {folder: f"{user}:{group_}" for user, group_, folder in made}
    service = COMPOSE["services"][name]
    user = service.get("user", of(FINAL, "USER")[0])
    volumes = [volume.split(":") for volume in service["volumes"] if isinstance(volume, str)]
    writable = {folder for source, folder, *mode in volumes if "ro" not in mode}
    assert writable
    assert {owners[folder] for folder in writable} == {user}
    assert {source for source, folder, *mode in volumes if folder in writable} <= set(COMPOSE["volumes"])


@pytest.mark.parametrize("name", OURS)
def test_a_configuration_that_is_missing_is_an_error(name: str) -> None:
    """Docker makes a folder of that name otherwise, and complains about something else."""
    (bound,) = [volume for volume in COMPOSE["services"][name]["volumes"] if not isinstance(volume, str)]
    assert (bound["type"], bound["source"], bound["read_only"]) == ("bind", f"./{name}/pnyx.toml", True)
    assert bound["bind"] == {"create_host_path": False}


def test_the_key_reaches_the_signer_alone() -> None:
    holders = {name for name, service in COMPOSE["services"].items() if "keystore" in service.get("secrets", [])}
    assert holders == {"signer"}
    assert COMPOSE["services"]["daemon"]["group_add"] == [COMPOSE["services"]["signer"]["user"].split(":")[1]]
