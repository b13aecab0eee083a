from __future__ import annotations
from .conftest import *  # noqa


def test_smoke(world, tmp_path):
    from pathlib import Path

    gate = world.gate()
    gate.act(world.blocks, world.open_proposal())
    gate.act(world.seconds, world.open_proposal(world.seconds))
    out = Path("/tmp/h-audit-out")
    r = world.published(out, page="https://example.org/explorer/")
    import json

    print(json.dumps(r, indent=1)[:6000])
