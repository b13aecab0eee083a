"""One dossier with something at every position, and its bundle."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from pnyx_policies.bundle import Bundle, seal
from pnyx_policies.dossier import Dossier


@pytest.fixture(scope="session")
def make_vectors() -> ModuleType:
    """The script beside this file; tests are no package, so it is loaded by its place."""
    spec = importlib.util.spec_from_file_location("make_vectors", Path(__file__).with_name("make_vectors.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def dossier(make_vectors: ModuleType) -> Dossier:
    return make_vectors.sample_dossier()


@pytest.fixture(scope="session")
def bodies(make_vectors: ModuleType) -> dict[bytes, bytes]:
    return make_vectors.BODIES


@pytest.fixture(scope="session")
def bundle(dossier: Dossier, bodies: dict[bytes, bytes]) -> Bundle:
    return seal(dossier, bodies, bytes(range(32)))


@pytest.fixture(scope="session")
def other_bundle(dossier: Dossier, bodies: dict[bytes, bytes]) -> Bundle:
    """The same decision by another agent."""
    header = dossier.header.model_copy(update={"agent": "another"})
    return seal(dossier.model_copy(update={"header": header}), bodies, bytes(range(32)))
