"""The short way to read an entry leads to the same place as the long one, whatever a node says."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from pnyx_contracts.decision_log import ENTRY_TOPIC, decode_entry
from pnyx_contracts.entry import Entry, EntryKind
from pnyx_contracts.errors import DecodingError
from pnyx_contracts.types import to_hex
from pnyx_tools.reader import LogItem
from pnyx_tools.verifier.events import Unreadable, read_event
from pnyx_tools.wire import parse_log

HEX = "0123456789abcdefABCDEF x_\u0660"


def word(number: int) -> str:
    return to_hex(number.to_bytes(32, "big"))


def item(seq: int = 7, epoch: int = 2, time: int = 1_700_000_000, kind: int = EntryKind.VOTE) -> LogItem:
    numbers = "".join(word(number)[2:] for number in (seq, epoch, time))
    return LogItem(
        address="0x" + "5f" * 20,
        topics=(to_hex(ENTRY_TOPIC), word(0xA11CE), "0x" + "ab" * 32, word(kind)),
        data="0x" + numbers + "cd" * 96,
        block_number="0x10",
        block_hash="0x" + "01" * 32,
        transaction_hash="0x" + "02" * 32,
        log_index="0x0",
    )


def read_the_long_way(of: LogItem) -> Entry | Unreadable:
    log = parse_log(of)
    try:
        return decode_entry(log)
    except DecodingError as error:
        return Unreadable(log.block_number, log.log_index, log.transaction_hash, error.message)


def outcome(read, of):
    try:
        return read(of)
    except ValueError:
        return "no log at all"


@st.composite
def retyped(draw, texts):
    """A text with one character changed, added or left out."""
    text = draw(texts)
    place, to = draw(st.integers(0, len(text) - 1)), draw(st.sampled_from(HEX))
    return draw(
        st.sampled_from([text[:place] + to + text[place + 1 :], text[:place] + to + text[place:], text[:place]])
    )


def test_an_honest_entry():
    entry = read_event(item())
    assert isinstance(entry, Entry)
    assert (entry.seq, entry.epoch, entry.time, entry.kind) == (7, 2, 1_700_000_000, EntryKind.VOTE)
    assert (entry.subject, entry.action, entry.block_number) == (b"\xab" * 32, b"\xcd" * 32, 16)


@given(
    st.integers(0, 1 << 48),
    st.integers(0, 1 << 24),
    st.integers(0, 1 << 56),
    st.one_of(st.integers(0, 50), st.just(1 << 255)),
)
@example((1 << 40) - 1, (1 << 16) - 1, (1 << 48) - 1, 7)
@example(1 << 40, 0, 0, 7)
@example(1, 1 << 16, 0, 7)
@example(1, 0, 1 << 48, 7)
def test_numbers_of_any_size(seq, epoch, time, kind):
    said = item(seq, epoch, time, kind)
    assert read_event(said) == read_the_long_way(said)


@given(st.data(), st.sampled_from(["data", "block_number", "block_hash", "transaction_hash", "log_index", 1, 2, 3]))
def test_a_character_that_is_not_there_or_another(data, where):
    honest = item()
    if isinstance(where, int):
        topics = list(honest.topics)
        topics[where] = data.draw(retyped(st.just(topics[where])))
        said = replace(honest, topics=tuple(topics))
    else:
        said = replace(honest, **{where: data.draw(retyped(st.just(getattr(honest, where))))})
    assert outcome(read_event, said) == outcome(read_the_long_way, said)


@given(st.integers(1, 5), st.booleans())
def test_another_number_of_topics_or_a_log_that_was_removed(count, removed):
    honest = item()
    said = replace(honest, topics=(honest.topics * 2)[:count], removed=removed)
    assert outcome(read_event, said) == outcome(read_the_long_way, said)
