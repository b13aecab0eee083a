"""Sealed fields stay unguessable: an adversary with everything that is public tries every likely value.

It has the published bundle, disclosures of other fields and items of the same record, whole bundles of other records
of the same agent about the same proposal, and what stands on chain. Every 32 bytes that it has seen serve it as salt
and as target. Against this format it learns nothing; against each one that was broken on purpose it finds the value.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from pnyx_contracts.record import (
    LIST_POSITIONS,
    POSITIONS,
    attempt_hash,
    derive_salt,
    item_hash,
    leaf_hash,
    list_hash,
    prompt_hash,
    record_key,
    tree_root,
    value_hash,
)
from pnyx_policies.bundle import Bundle, seal, withhold
from pnyx_policies.disclosure import disclose, parse_parts
from pnyx_policies.dossier import Dossier

KEY = bytes(range(100, 132))
WORD = re.compile(r"0x([0-9a-f]{64})\b")
ZERO = bytes(32)

SEALED = ("attempts", "checks", "opinions", "rules", "ruleset", "simulation", "software", "state")


# --- what the adversary tries ---------------------------------------------------------------------------------------


def likely(name: str, value: Any) -> Iterator[Any]:
    """Values that somebody who knows the agent would try; the true one is among them. Few, as in real life."""
    yield value
    yield from ([], {}, None, "", 0, False, True)
    if name == "rules":
        yield from itertools.islice(lists_of_rules(value), 60)
    if name == "opinions":
        for advice, confidence in itertools.product(("for", "against", "abstain", "hold"), range(0, 101, 10)):
            yield [
                changed(
                    value[0], ("analysis", "recommendation"), advice, ("analysis", "confidence_percent"), confidence
                )
            ]
    if name == "state":
        yield from (changed(value, ("voter", "voting_power"), str(power)) for power in range(50))
    if name == "software":
        yield from (changed(value, ("pnyx",), f"0.{minor}.0") for minor in range(20))
    if name == "checks":
        yield from (changed(value, (0, "findings", 0, "severity"), level) for level in range(5))


def likely_items(name: str, item: Any) -> Iterator[Any]:
    if name == "rules":
        yield from rules_like(item)
    else:
        yield item
        yield from (changed(item, ("outcome",), outcome) for outcome in ("ok", "timeout", "invalid"))


def rules_like(rule: Any) -> Iterator[Any]:
    """Matched, not matched, unknown: the outcome of one rule is one of three."""
    yield rule
    for matched, words in ((True, "matches"), (False, "does not match"), (False, "cannot be told")):
        for then in ("for", "against", "abstain", "hold", "skip", "model"):
            yield rule | {"matched": matched, "then": then}
            yield rule | {"matched": matched, "then": then, "explanation": words}


def lists_of_rules(rules: list[Any]) -> Iterator[list[Any]]:
    """Every count, and every combination of outcomes."""
    yield from (rules[:count] for count in range(len(rules) + 1))
    yield from (list(choice) for choice in itertools.product(*(list(rules_like(rule)) for rule in rules)))


def changed(value: Any, *changes: Any) -> Any:
    """A copy with other values at these paths: path, value, path, value, ..."""
    for path, new in zip(changes[::2], changes[1::2], strict=True):
        value = _put(value, path, new)
    return value


def _put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = list(value) if isinstance(value, list) else dict(value)
    copy[path[0]] = _put(copy[path[0]], path[1:], new)
    return copy


@dataclass
class Adversary:
    """Knows files and words; tries values."""

    seen: set[bytes] = field(default_factory=set)

    def read(self, *files: bytes) -> None:
        for file in files:
            self.seen |= {bytes.fromhex(word) for word in WORD.findall(file.decode())}

    @property
    def salts(self) -> list[bytes]:
        return [*self.seen, ZERO]

    def guesses(self, name: str, value: Any) -> bool:
        """Whether some hash that it has seen is that of a likely value of this field."""
        position, candidates = POSITIONS.index(name), list(likely(name, value))
        if name in LIST_POSITIONS:
            return self._meets(self._leaves_of_lists(position, [c for c in candidates if isinstance(c, list)]))
        hashes = [value_hash(candidate) for candidate in candidates]
        return self._meets(hashes) or self._meets(
            leaf_hash(position, salt, hashed) for hashed in hashes for salt in self.salts
        )

    def guesses_item(self, name: str, index: int, item: Any) -> bool:
        """The same for one item of a list: its outcome, or that it is there at all."""
        position = POSITIONS.index(name)
        hashes = [value_hash(candidate) for candidate in likely_items(name, item)]
        return self._meets(hashes) or self._meets(
            item_hash(position, index, salt, hashed) for hashed in hashes for salt in self.salts
        )

    def guesses_prompts(self, attempts: list[Any]) -> bool:
        """Whether the prompt hash, which stands on chain, is that of attempts it can think of."""
        hashes = [
            attempt_hash(a["opinion"], a["number"], _bytes(a["request_hash"]), _bytes(a["response_hash"]))
            for a in attempts
        ]
        return self._meets((tree_root(hashes),)) or self._meets(prompt_hash(salt, hashes) for salt in self.salts)

    def _leaves_of_lists(self, position: int, lists: list[list[Any]]) -> Iterator[bytes]:
        """A format that salts no item, or all of them with the salt of the list, would have one of these."""
        for values in lists:
            hashed = [value_hash(value) for value in values]
            bare = _list_hash(position, ZERO, hashed)
            yield bare
            for salt in self.salts:
                yield leaf_hash(position, salt, bare)
                yield leaf_hash(position, salt, _list_hash(position, salt, hashed))

    def _meets(self, hashes: Iterable[bytes]) -> bool:
        return any(digest in self.seen for digest in hashes)


def _list_hash(position: int, salt: bytes, hashed: list[bytes]) -> bytes:
    return list_hash(position, [item_hash(position, index, salt, digest) for index, digest in enumerate(hashed)])


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text[2:])


# --- the world ------------------------------------------------------------------------------------------------------


@pytest.fixture
def one(dossier: Dossier) -> Dossier:
    """A record with one attempt, whose neighbours therefore give nothing away."""
    return dossier.model_copy(update={"attempts": dossier.attempts[2:]})


def bodies_of(dossier: Dossier, bodies: dict[bytes, bytes]) -> dict[bytes, bytes]:
    named = {digest for a in dossier.attempts for digest in (a.request_hash, a.response_hash)}
    return {digest: body for digest, body in bodies.items() if digest in named}


def public(bundle: Bundle, opened: str = "header") -> list[bytes]:
    """Everything that everybody can have of one record when only this was opened."""
    return [withhold(bundle, SEALED).to_bytes(), disclose(bundle, parse_parts(opened)).to_bytes()]


def sealed_again(dossier: Dossier, bodies: dict[bytes, bytes], count: int = 3) -> list[Bundle]:
    """Other records about the same proposal by the same agent, with other software and nothing sealed."""
    versions = [dossier.software.model_copy(update={"python": f"3.1{number}"}) for number in range(count)]
    return [seal(dossier.model_copy(update={"software": version}), bodies, KEY) for version in versions]


def found(dossier: Dossier, adversary: Adversary) -> set[str]:
    """What the adversary learned, by field."""
    fields = dossier.model_dump(mode="json")
    learned = {name for name in SEALED if adversary.guesses(name, fields[name])}
    if adversary.guesses_item("rules", 0, fields["rules"][0]):
        learned.add("rules[0]")
    if adversary.guesses_prompts(fields["attempts"]):
        learned.add("prompt")
    return learned


# --- the format holds -----------------------------------------------------------------------------------------------


def others_tell(dossier: Dossier, bodies: dict[bytes, bytes]) -> set[bytes]:
    """Hashes of other records, which hold the same values with other salts."""
    adversary = Adversary()
    adversary.read(*(bundle.to_bytes() for bundle in sealed_again(dossier, bodies_of(dossier, bodies))))
    return adversary.seen


def test_nothing_can_be_guessed_of_this_format(one: Dossier, bodies: dict[bytes, bytes]) -> None:
    bundle = seal(one, bodies_of(one, bodies), KEY)
    adversary = Adversary()
    adversary.read(*public(bundle, "header,rules[1]"))
    assert found(one, adversary) == set()


def test_other_records_do_not_help(one: Dossier, bodies: dict[bytes, bytes]) -> None:
    """Their salts, tried on the hashes of this record, open nothing."""
    bundle = seal(one, bodies_of(one, bodies), KEY)
    target, known = Adversary(), others_tell(one, bodies)
    target.read(*public(bundle, "header,rules[1]"))
    combined = Combined(target.seen, known)
    assert found(one, combined) == set()


@dataclass
class Combined(Adversary):
    """Targets are those of one record, salts those of all."""

    known: set[bytes] = field(default_factory=set)

    @property
    def salts(self) -> list[bytes]:
        return [*self.seen, *self.known, ZERO]


def test_two_records_with_equal_fields_do_not_show_it(one: Dossier, bodies: dict[bytes, bytes]) -> None:
    bundle = seal(one, bodies_of(one, bodies), KEY)
    for other in sealed_again(one, bodies_of(one, bodies)):
        assert set(bundle.leaves) & set(other.leaves) == set()
        assert bundle.prompt_hash != other.prompt_hash


def test_the_length_of_a_list_does_not_show(dossier: Dossier, bodies: dict[bytes, bytes]) -> None:
    """Files of records whose sealed lists have other lengths have one length."""
    sizes = {
        len(
            withhold(
                seal(dossier.model_copy(update={"rules": dossier.rules * count}), bodies, KEY), ("rules", "ruleset")
            ).to_bytes()
        )
        for count in (0, 1, 50)
    }
    assert len(sizes) == 1


def test_no_public_field_repeats_a_sealed_one(one: Dossier, bodies: dict[bytes, bytes]) -> None:
    """With what `REPEATED_BY` couples sealed together, no words of rules, opinions, answers or findings are left."""
    marked = one.model_copy(
        update={
            "rules": tuple(r.model_copy(update={"explanation": f"MARK-{r.explanation}"}) for r in one.rules),
            "opinions": tuple(o.model_copy(update={"failure": "MARK"}) for o in one.opinions),
        }
    )
    file = withhold(seal(marked, bodies_of(one, bodies), KEY), SEALED).to_bytes()
    assert b"MARK" not in file
    assert all(body not in file for body in bodies.values())
    assert one.attempts[0].request_hash.hex().encode() not in file


# --- the adversary can win ------------------------------------------------------------------------------------------


def no_salt(_key: bytes, *_label: str | int) -> bytes:
    return ZERO


def one_salt_for_all(key: bytes, *_label: str | int) -> bytes:
    return derive_salt(key, "one")


def no_salt_for_items(key: bytes, *label: str | int) -> bytes:
    return ZERO if len(label) == 2 else derive_salt(key, *label)


@pytest.mark.parametrize(
    ("broken", "learned"),
    [
        (no_salt, {*SEALED, "rules[0]", "prompt"}),
        (one_salt_for_all, {*SEALED, "rules[0]", "prompt"}),
        (no_salt_for_items, {"rules", "rules[0]"}),
    ],
)
def test_it_breaks_formats_with_bad_salts(
    one: Dossier,
    bodies: dict[bytes, bytes],
    monkeypatch: pytest.MonkeyPatch,
    broken: Callable[..., bytes],
    learned: set[str],
) -> None:
    monkeypatch.setattr("pnyx_policies.bundle.derive_salt", broken)
    bundle = seal(one, bodies_of(one, bodies), KEY)
    adversary = Adversary()
    adversary.read(*public(bundle, "header,rules[1]"))
    assert found(one, adversary) == learned


def test_it_breaks_salts_that_two_records_share(
    one: Dossier, bodies: dict[bytes, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they would without the hash of the content in the key."""
    monkeypatch.setattr("pnyx_policies.bundle.record_key", lambda key, subject, _: record_key(key, subject, ZERO))
    bundle, known = seal(one, bodies_of(one, bodies), KEY), others_tell(one, bodies)
    target = Adversary()
    target.read(*public(bundle, "header,rules[1]"))
    assert found(one, target) == set(), "only the other records tell"
    assert found(one, Combined(target.seen, known)) >= {"opinions", "software", "state", "rules[0]", "prompt"}


def test_it_breaks_a_prompt_salt_that_is_given_away(one: Dossier, bodies: dict[bytes, bytes]) -> None:
    bundle = seal(one, bodies_of(one, bodies), KEY)
    assert bundle.prompt_salt is not None
    adversary = Adversary({bundle.prompt_salt})
    adversary.read(*public(bundle))
    assert found(one, adversary) == {"prompt"}


def test_it_breaks_a_salt_that_is_published_with_its_sealed_field(one: Dossier, bodies: dict[bytes, bytes]) -> None:
    bundle = seal(one, bodies_of(one, bodies), KEY)
    for name in ("software", "state", "opinions"):
        adversary = Adversary({bundle.salts[name]})
        adversary.read(*public(bundle))
        assert found(one, adversary) == {name}
