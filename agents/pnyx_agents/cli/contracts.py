"""``pnyx contracts``"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pnyx_agents.cli.options import json_option, print_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pnyx_contracts.artifacts import ContractName

NAMES = ("DecisionLog", "VoteGateFactory", "VoteGate", "AtomicAccount")


@click.command("contracts")
@click.option("--rpc", help="JSON-RPC endpoint of a chain: look whether they are there, with our code.")
@click.option(
    "--standard-json", type=click.Choice(NAMES), help="Print the compiler's input of one, for source verification."
)
@json_option
def command(rpc: str | None, standard_json: ContractName | None, as_json: bool) -> None:
    """The contracts of Pnyx and their addresses, which are the same on every chain."""
    if standard_json is not None:
        from pnyx_contracts.artifacts import standard_input

        click.echo(standard_input(standard_json))
        return
    found = list(_contracts(rpc))
    if as_json:
        print_json(found)
        return
    for one in found:
        there = "" if rpc is None else f"  {one['status']}"
        click.echo(f"{one['name']:15} {one['address']}{there}")
    click.echo("VoteGateFactory makes gates, each at an address of its own. Compiler's input: --standard-json.")


def _contracts(rpc: str | None) -> Iterator[dict[str, Any]]:
    from pnyx_contracts.addresses import usual_address
    from pnyx_contracts.artifacts import artifact
    from pnyx_tools.rpc import Rpc

    reader = Rpc(rpc) if rpc is not None else None
    log = usual_address("DecisionLog")
    bound: tuple[tuple[ContractName, tuple[str, ...]], ...]
    bound = (("DecisionLog", ()), ("VoteGateFactory", (log,)), ("AtomicAccount", (log,)))
    for name, arguments in bound:
        address = usual_address(name, *arguments)
        one: dict[str, Any] = {"name": name, "address": address, "constructor_arguments": list(arguments)}
        one["solc"] = artifact(name).solc
        if reader is not None:
            code = reader.code(address)
            ours = artifact(name).immutables_of(code) is not None
            one["status"] = "there, with our code" if ours else "other code" if code else "not there"
        yield one
