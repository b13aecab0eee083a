/**
 * Text that somebody else wrote: what nobody sees is made visible, what moves other letters is shown and moves nothing.
 * The ranges are those of `pnyx_policies.text`.
 */
import { h } from './dom.js';

const HIDDEN =
  '\\u202a-\\u202e\\u2066-\\u2069\\u200e\\u200f\\u061c\\u{e0000}-\\u{e007f}\\ufe00-\\ufe0f\\u180b-\\u180d\\u180f\\u{e0100}-\\u{e01ef}' +
  '\\u200b-\\u200d\\u2060-\\u2064\\u206a-\\u206f\\ufeff\\u00ad\\u034f\\u180e\\u17b4\\u17b5\\u115f\\u1160\\u3164\\uffa0\\u2800' +
  '\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\u2028\\u2029';
const EMOJI = '\\p{Extended_Pictographic}[\\ufe0e\\ufe0f]?[\\u{1f3fb}-\\u{1f3ff}]?';
const JOINING = '[\\u0600-\\u08ff\\u0900-\\u0dff\\u0f00-\\u109f\\u1780-\\u18af]';
/** First what writing needs (it is kept), then everything else that hides. */
const PATTERN = new RegExp(
  `(${EMOJI}(?:\\u200d${EMOJI})*|[0-9#*]\\ufe0f\\u20e3|(?<=${JOINING})[\\u200c\\u200d](?=${JOINING}))|([${HIDDEN}]|\\p{Cs})`,
  'gu',
);

/** @param {string} text @returns {string} with ⟨U+202E⟩ where a hidden character stands */
export function reveal(text) {
  return text.replace(PATTERN, (all, needed, hidden) => {
    if (hidden === undefined) return needed;
    return `⟨U+${hidden.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`;
  });
}

/** How many characters are hidden. @param {string} text */
export function countHidden(text) {
  let count = 0;
  for (const match of text.matchAll(PATTERN)) if (match[2] !== undefined) count += 1;
  return count;
}

const WORD = /[\p{L}\p{M}]{2,}/gu;
const LATIN = /\p{Script=Latin}/u;
const LOOKALIKE = /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}]/u;

/** Words that mix Latin letters with letters that look like them, each once. @param {string} text @returns {string[]} */
export function mixedWords(text) {
  const found = new Set();
  for (const [word] of text.matchAll(WORD)) {
    if (LATIN.test(word) && LOOKALIKE.test(word)) found.add(word);
    if (found.size === 5) break;
  }
  return [...found];
}

/** A word with its foreign letters spelled out. @param {string} word */
export function spellOut(word) {
  return [...word].map((c) => (LOOKALIKE.test(c) ? `⟨U+${(c.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩` : c)).join('');
}

/** One line of a stranger's text. @param {string} text @param {number} [limit] */
export function quoted(text, limit = 600) {
  const line = text.replace(/\s+/g, ' ').trim();
  return h('bdi', { class: 'untrusted' }, reveal(line.length > limit ? `${line.slice(0, limit)}…` : line));
}

const FIRST = 4000;

/** A whole text, with what a reader should know about it. The rest of a long one comes on demand. @param {string} text */
export function passage(text) {
  const body = h('pre', { class: 'untrusted passage', dir: 'auto', tabindex: 0 }, reveal(text.slice(0, FIRST)));
  /** @type {(HTMLElement | false)[]} */
  const parts = [...warnings(text), body];
  if (text.length > FIRST) {
    const more = h('button', {
      type: 'button',
      onclick: () => {
        appendSlowly(body, text, FIRST);
        more.remove();
      },
    }, `Show the other ${(text.length - FIRST).toLocaleString('en')} characters`);
    parts.push(more);
  }
  return h('div', {}, parts);
}

const PIECE = 8000;

/** Piece by piece, one a frame: laying out hostile letters is slow. @param {Element} body @param {string} text @param {number} from */
function appendSlowly(body, text, from) {
  body.append(reveal(text.slice(from, from + PIECE)));
  if (from + PIECE < text.length) requestAnimationFrame(() => appendSlowly(body, text, from + PIECE));
}

/** @param {string} text */
function warnings(text) {
  const hidden = countHidden(text);
  const mixed = mixedWords(text);
  return [
    hidden > 0 && h('p', { class: 'warning' }, `${hidden.toLocaleString('en')} hidden characters in this text are shown as ⟨U+…⟩.`),
    mixed.length > 0 &&
      h('p', { class: 'warning' }, 'Words that mix look-alike letters of other alphabets: ', h('bdi', {}, mixed.map((word) => `${reveal(word)} = ${spellOut(word)}`).join(', '))),
  ].filter(Boolean);
}
