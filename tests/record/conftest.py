"""One dossier with something at every position, and its bundle."""

from __future__ import annotations

import pytest

from pnyx_policies.bundle import Bundle, seal
from pnyx_policies.dossier import Dossier
from pnyx_tools.testing.sample_record import BODIES, SALT_KEY, sample_bundle, sample_dossier


@pytest.fixture(scope="session")
def dossier() -> Dossier:
    return sample_dossier()


@pytest.fixture(scope="session")
def bodies() -> dict[bytes, bytes]:
    return BODIES


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    return sample_bundle()


@pytest.fixture(scope="session")
def other_bundle(dossier: Dossier, bodies: dict[bytes, bytes]) -> Bundle:
    """The same decision by another agent."""
    header = dossier.header.model_copy(update={"agent": "another"})
    return seal(dossier.model_copy(update={"header": header}), bodies, SALT_KEY)
