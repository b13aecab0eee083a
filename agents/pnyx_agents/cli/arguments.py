"""Kinds of values on the command line, refused with a message that says what was expected."""

from __future__ import annotations

import click


class AddressType(click.ParamType[str]):
    """A 20-byte address; gives it back with its checksum."""

    name = "address"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from pydantic import TypeAdapter, ValidationError

        from pnyx_contracts.types import Address

        try:
            return TypeAdapter[str](Address).validate_python(value)
        except ValidationError as error:
            self.fail(error.errors()[0]["msg"].removeprefix("Value error, "), param, ctx)


class ProposalIdType(click.ParamType[int]):
    """A uint256, decimal or ``0x`` hex."""

    name = "proposal id"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            number = int(value, 0) if isinstance(value, str) else value
        except ValueError:
            number = -1
        if not 0 <= number < 2**256:
            self.fail(f"{value!r} is no proposal id: expected a decimal number or 0x hex", param, ctx)
        return number


class BlockTagType(click.ParamType[int | str]):
    """A block: its number, or a tag that nodes know."""

    name = "block"
    tags = ("finalized", "safe", "latest")

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        if isinstance(value, int) or value in self.tags:
            return value
        if not (value.isascii() and value.isdigit()):
            self.fail(f"{value!r} is no block: expected a number, or one of {', '.join(self.tags)}", param, ctx)
        return int(value)


class HashType(click.ParamType[bytes]):
    """32 bytes in ``0x`` hex."""

    name = "hash"

    def convert(self, value: str | bytes, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        if isinstance(value, bytes):
            return value
        try:
            data = bytes.fromhex(value.removeprefix("0x"))
        except ValueError:
            data = b""
        if len(data) != 32 or not value.startswith("0x"):
            self.fail(f"{value!r} is no hash: expected 32 bytes in 0x hex", param, ctx)
        return data


ADDRESS = AddressType()
HASH = HashType()
PROPOSAL_ID = ProposalIdType()
BLOCK = click.IntRange(min=0)
BLOCK_TAG = BlockTagType()
DAYS = click.IntRange(min=1, max=3_650)
"""What nobody can take back is no longer than ten years: a notice, a delay, a certificate."""
