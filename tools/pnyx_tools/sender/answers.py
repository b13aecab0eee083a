"""What nodes answer when they do not take a transaction. Every client has words of its own; they are all here.

Read in the sources of geth and its descendants (op-geth, Arbitrum's), Erigon, Nethermind, Besu, Reth and anvil;
`tests/chain/test_node_answers.py` has them one by one. What is in no line is `UNSURE`: then nobody knows whether the
transaction was taken, and it is kept, asked for and sent again.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final


class Answer(Enum):
    """What became of a transaction that was sent."""

    TAKEN = "taken"
    """It waits there, or it is mined."""
    NONCE_USED = "nonce used"
    """A transaction with its nonce is mined: this one, an earlier attempt, or a stranger's."""
    OUTBID = "outbid"
    """Another transaction waits at its nonce and pays too much to be replaced by this one."""
    TOO_CHEAP = "too cheap"
    """Less than the pool or the next block asks for, or crowded out of a full pool."""
    BEHIND = "behind"
    """Something of the same key has to land before it: the node lags, or another one is on its way."""
    NO_MONEY = "no money"
    """The account cannot pay for it in its worst case."""
    OVER_NODE_CAP = "over the node's cap"
    """The node has a limit of its own on what one transaction may cost."""
    UNSURE = "unsure"


_TABLE: Final = tuple(
    (answer, re.compile("|".join(words), re.IGNORECASE))
    for answer, words in (
        # The order counts: "replacement transaction underpriced" is no "transaction underpriced".
        (Answer.TAKEN, ("already known", "known transaction", "already imported", "existing txn? with same hash")),
        (Answer.NONCE_USED, ("nonce (is )?too low", "nonce.{0,20}already (been )?used", "old ?nonce")),
        (
            Answer.OUTBID,
            (
                "replacement (transaction|tx) (is )?underpriced",
                "could not replace existing",
                "replacement ?not ?allowed",
                "insufficient gas price to replace",
                "fee too low to replace",
            ),
        ),
        (Answer.OVER_NODE_CAP, ("exceeds the configured cap", "fee ?cap exceeded")),
        (Answer.NO_MONEY, ("insufficient ?(funds|balance)", "upfront cost exceeds")),
        (
            Answer.BEHIND,
            (
                "nonce (is )?too high",
                "nonce ?gap|gapped.nonce",
                "nonce (is )?too (far|distant)",
                "lower nonce exists",
                "in-flight transaction limit",
                "delegator has|delegation",
                "future transaction tries to replace",
                "address already reserved",
            ),
        ),
        (
            Answer.TOO_CHEAP,
            (
                "underpriced",
                "fee ?too ?low",
                "less than (block )?base ?fee",
                "below (current|configured minimum|the minimum)",
                "pool is full",
                "pool ?overflow",
                "account limit exceeded",
            ),
        ),
    )
)


def answer_in(text: str) -> Answer:
    """What a node's error says about the transaction that it was sent."""
    return next((answer for answer, words in _TABLE if words.search(text)), Answer.UNSURE)
