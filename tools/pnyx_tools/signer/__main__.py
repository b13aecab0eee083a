"""`python -m pnyx_tools.signer`: what the daemon starts as its child. People start `pnyx signer`."""

from __future__ import annotations

import logging
import sys

from pnyx_tools.signer.process import serve_as_child

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    sys.exit(serve_as_child())
