"""`python -m pnyx_tools.signer`: what the daemon starts as its child. People start `pnyx signer`."""

from __future__ import annotations

import sys

from pnyx_tools.signer.logs import log_json_lines
from pnyx_tools.signer.process import serve_as_child

if __name__ == "__main__":
    log_json_lines()
    sys.exit(serve_as_child())
