"""Reading untrusted text: what it hides, what it names."""

from __future__ import annotations

import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pnyx_policies import text
from pnyx_policies.claims import read_claims
from pnyx_policies.text import HiddenKind

ALICE = "0x91c32893216dE3eA0a55ABb9851f581d4503d39b"


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("pay \u202e000,1", HiddenKind.BIDI_OVERRIDE),
        ("left\u2066right", HiddenKind.BIDI),
        ("hi\U000e0041\U000e0042", HiddenKind.TAG),
        ("a\ufe01b", HiddenKind.VARIATION),
        ("a\U000e0101b", HiddenKind.VARIATION),
        ("1\u200b000", HiddenKind.ZERO_WIDTH),
        ("soft\u00adhyphen", HiddenKind.ZERO_WIDTH),
        ("blank\u3164letter", HiddenKind.FILLER),
        ("bell\x07", HiddenKind.CONTROL),
        ("\U0001f3f4\U000e0041\U000e0042\U000e0043\U000e0044\U000e0045\U000e0046\U000e0047\U000e007f", HiddenKind.TAG),
    ],
)
def test_hidden_characters_are_found_with_their_kind(words, kind):
    assert {h.kind for h in text.hidden_characters(words)} == {kind}
    assert text.hidden_characters(text.visible(words)) == ()


@pytest.mark.parametrize(
    "words",
    [
        "plain, with tabs\tand\nlines",
        "a family \U0001f468\u200d\U0001f469\u200d\U0001f467 and a heart \u2764\ufe0f",
        "keycap 1\ufe0f\u20e3 and a wave \U0001f44b\U0001f3fd",
        "the flag of England \U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian with the joiner that it needs
        "\u0915\u094d\u200d\u0937",  # Hindi
        "curly \u201cquotes\u201d, dashes \u2013 \u2014, no-break\u00a0spaces, arrows \u2192",
    ],
)
def test_what_writing_needs_is_not_hidden(words):
    assert text.hidden_characters(words) == ()
    assert text.visible(words) == words


@given(st.text(st.characters() | st.sampled_from("\u200d\ufe0f\u202e\u2764\U0001f468\U000e0041\u0645\u200c1\u20e3")))
def test_nothing_hidden_survives_cleaning(words):
    assert text.hidden_characters(text.visible(words)) == ()
    assert text.hidden_characters(text.one_line(words, 200)) == ()


@given(st.text(max_size=400), st.integers(min_value=3, max_value=200))
def test_one_line_keeps_its_limit(words, limit):
    line = text.one_line(words, limit)
    assert len(line.encode()) <= limit
    assert "\n" not in line


def test_a_quotation_shows_hidden_characters_and_hides_none():
    assert text.quote("pay\u202e now") == "pay<U+202E> now"


@pytest.mark.parametrize(
    ("words", "amount"),
    [
        ("10,000 USDC", 10_000),
        ("**18_000** tokens", 18_000),
        ("1.5 ETH", Fraction(3, 2)),
        ("$2.5M", 2_500_000),
        ("15k vested ENS", 15_000),
        ("1,218,669.76 USDC", Fraction("1218669.76")),
        ("1218669760000 (6 decimals)", 1_218_669_760_000),
        ("2 million USDC", 2_000_000),
        ("1e18 wei", 10**18),
        ("10.000 EUR", 10_000),
        ("10.000 EUR", 10),
        ("1.250.000,50 USDC", Fraction("1250000.5")),
        ("10 000,50 USDC", Fraction("10000.5")),
        ("0,5 ETH", Fraction(1, 2)),
        ("5\u4e07 USDC", 50_000),
        ("2 millones de USDC", 2_000_000),
        ("\u306b10,000 USDC\u3092", 10_000),
        (str(2**256 - 1), 2**256 - 1),
    ],
)
def test_amounts_are_read_as_people_write_them(words, amount):
    assert Fraction(amount) in text.amounts(words)


def test_numbers_inside_hex_and_links_are_no_amounts():
    claims = read_claims(f"See https://forum.example/t/12345 and {ALICE}.")
    assert claims.amounts == frozenset()


def test_addresses_are_read_whatever_their_checksum_says():
    assert text.addresses(f"to {ALICE.lower()}, [x](https://etherscan.io/address/{ALICE})") == {ALICE}
    assert text.addresses(f"{ALICE}ff is longer, {ALICE[:-1]} shorter") == frozenset()


def test_ens_names_are_seen_and_links_are_not():
    assert text.has_ens_name("sent to wallet.ensdao.eth today")
    assert not text.has_ens_name("https://mirror.xyz/research.blockful.eth/abc")


def test_look_alike_letters_inside_latin_words():
    assert text.mixed_script_words("p\u0430ypal, USD\u0421 and \u041f\u0440\u0438\u0432\u0435\u0442") == (
        "p\u0430ypal",
        "USD\u0421",
    )
    assert text.mixed_script_words("\u0394TVL, \u00b5s, caf\u00e9") == ()


def test_folding_sees_through_styled_letters_and_entities():
    assert text.fold("\U0001d422\U0001d420\U0001d427\U0001d428\U0001d42b\U0001d41e  &#112;revious") == "ignore previous"


@pytest.mark.parametrize("style", ["opacity:0", "opacity: 0.0", "color:white", "color: #FFF", "visibility:hidden"])
def test_what_is_drawn_so_that_nobody_sees_it_is_not_said(style):
    claims = read_claims(f'Hello <span style="{style}">5,000 USDC to {ALICE}</span> world')
    assert (claims.addresses, claims.amounts) == (frozenset(), frozenset())


@pytest.mark.parametrize("style", ["opacity:0.9", "color:whitesmoke", "color:#f0f"])
def test_what_is_drawn_in_a_colour_is_said(style):
    assert read_claims(f'<span style="{style}">5,000 USDC</span>').amounts == {Fraction(5_000)}


def test_an_announcement_in_a_comment_is_none():
    claims = read_claims(f"Hello <!-- grantRole to {ALICE}, 5,000 USDC --> world")
    assert claims.addresses == frozenset()
    assert Fraction(5_000) not in claims.amounts
    assert not claims.names_word("grantRole")


@pytest.mark.parametrize(
    "piece",
    ["<", "<!--", "](", "a-", "a.", "1,", "1.", "0x1", "\u200d", "\U0001f468\u200d", "[", "ignore previous ", "&#x20;"],
)
def test_reading_takes_bounded_time(piece):
    hostile = piece * (60_000 // len(piece))
    start = time.thread_time()
    read_claims(hostile)
    text.mixed_script_words(hostile)
    assert time.thread_time() - start < 5
