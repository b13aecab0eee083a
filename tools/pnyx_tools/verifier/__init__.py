"""The member's check, with its I/O: one RPC endpoint and the evidence are enough.

The steps themselves are pure and listed in `pnyx_policies.verify`; here the chain and the evidence are read and fed to
them. Neither web3 nor a model library nor a key is needed.
"""

from pnyx_tools.verifier.render import render
from pnyx_tools.verifier.verify import verify, verify_chains

__all__ = ["render", "verify", "verify_chains"]
