/**
 * The only way that this page makes elements. Text becomes text nodes, never markup, and only attributes of the list
 * below can be set: no `style`, no `src`, no handler as text, no link that leaves the page. So a proposal cannot
 * bring in anything but letters, whatever it says.
 */

const ATTRIBUTES = new Set([
  'class', 'id', 'for', 'type', 'name', 'value', 'title', 'role', 'tabindex', 'lang', 'dir', 'scope', 'placeholder',
  'autocomplete', 'spellcheck', 'inputmode', 'required', 'open', 'disabled', 'selected', 'href', 'accept', 'datetime',
  'aria-label', 'aria-labelledby', 'aria-describedby', 'aria-live', 'aria-current', 'aria-busy', 'aria-hidden',
]);

/**
 * @typedef {Node | string | number | null | undefined | false} Child
 * @typedef {Record<string, string | number | boolean | ((event: any) => void) | null | undefined>} Attributes
 */

/**
 * An element. An attribute `onclick` (or `on` and any event) takes a function.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Attributes} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
  element.append(...nodes(children));
  return element;
}

/** @param {Element} element @param {string} name @param {Attributes[string]} value */
function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (typeof value === 'function') {
    element.addEventListener(name.slice(2), value);
    return;
  }
  if (!ATTRIBUTES.has(name)) throw new Error(`this page sets no attribute ${name}`);
  if (name === 'href' && !String(value).startsWith('#')) throw new Error('this page links to itself only');
  element.setAttribute(name, value === true ? '' : String(value));
}

/** @param {(Child | Child[])[]} children @returns {(Node | string)[]} */
function nodes(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false).map((child) =>
    typeof child === 'number' ? String(child) : /** @type {Node | string} */ (child),
  );
}

/** Puts `children` in place of everything in `element`. @param {Element} element @param {...(Child | Child[])} children */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
}

/** A table of names and values; rows without a value are left out.
 * @param {[string, Child | Child[]][]} rows */
export function facts(rows) {
  const present = rows.filter(([, value]) => value !== null && value !== undefined && value !== false && value !== '');
  return h('dl', { class: 'facts' }, present.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
}

/** So long does an answer stand before news may take its place. */
const ANSWER_STANDS_MS = 5_000;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let answered;
let news = '';

/** News, said to people who do not look at the screen, too. @param {string} text */
export function announce(text) {
  news = text;
  if (answered === undefined) say(text);
}

/** What became of something that the reader just did. @param {string} text */
export function answer(text) {
  say(text);
  news = '';
  clearTimeout(answered);
  answered = setTimeout(() => {
    answered = undefined;
    say(news);
  }, ANSWER_STANDS_MS);
}

/** @param {string} text */
function say(text) {
  const line = document.getElementById('progress');
  if (line && line.textContent !== text) line.textContent = text;
}
