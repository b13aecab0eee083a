"""Our own signer process, asked a limited number of times."""

from pathlib import Path

from pnyx_contracts.errors import RefusedError
from pnyx_tools.signer.client import SignerClient
from pnyx_tools.signer.protocol import Identity, Signed, SignRequest


class CountingSigner:
    def __init__(self, path: str, most: int) -> None:
        self._client = SignerClient(Path(path))
        self._left = most

    def identity(self) -> Identity:
        return self._client.identity()

    def sign(self, request: SignRequest) -> Signed:
        if self._left == 0:
            raise RefusedError("enough was signed", hint="raise most in [signer.options]")
        self._left -= 1
        return self._client.sign(request)
