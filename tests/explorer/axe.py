"""Whether a page is for everybody, as axe sees it."""

from __future__ import annotations

from typing import Any, Final

from playwright.sync_api import Page
from tests.chromium import ROOT

AXE: Final = ROOT / "explorer" / "node_modules" / "axe-core" / "axe.min.js"


def violations(page: Page) -> list[str]:
    """What it finds, however slight. The page must let scripts run: ``bypass_csp``."""
    page.evaluate(AXE.read_text())
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{v['id']} ({v['impact']}): {[n['html'][:200] for n in v['nodes'][:2]]}" for v in found["violations"]]
