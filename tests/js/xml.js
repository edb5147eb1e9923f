// A small, strict XML reader: whatever is not well-formed is an error.

/** @typedef {{name: string, attributes: Record<string, string>, children: Element[], text: string}} Element */

const ENTITIES = /** @type {Record<string, string>} */ ({
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
});

/** @param {string} text */
function unescape(text) {
  if (/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(text) || !text.isWellFormed()) {
    throw new Error(`no XML may hold this: ${JSON.stringify(text)}`);
  }
  return text.replace(/&([^;]*);?/g, (whole, name) => {
    if (!whole.endsWith(";") || !(name in ENTITIES)) throw new Error(`a bare & in ${text}`);
    return ENTITIES[name];
  });
}

const TAG = /<(\/?)([A-Za-z][\w:.-]*)((?:\s+[A-Za-z][\w:.-]*="[^"<]*")*)\s*(\/?)>/y;

/**
 * The root element of a document without comments, instructions and CDATA.
 * @param {string} source
 * @returns {Element}
 */
export function parseXml(source) {
  /** @type {Element} */
  const document = { name: "", attributes: {}, children: [], text: "" };
  const open = [document];
  let at = 0;
  while (at < source.length) {
    const next = source.indexOf("<", at);
    const text = source.slice(at, next < 0 ? undefined : next);
    open[open.length - 1].text += unescape(text);
    if (next < 0) break;
    TAG.lastIndex = next;
    const tag = TAG.exec(source);
    if (!tag) throw new Error(`no tag: ${source.slice(next, next + 60)}`);
    at = TAG.lastIndex;
    const [, closing, name, attributes, empty] = tag;
    if (closing) {
      if (open.pop()?.name !== name) throw new Error(`</${name}> closes another element`);
      continue;
    }
    /** @type {Element} */
    const element = { name, attributes: {}, children: [], text: "" };
    for (const [, key, value] of attributes.matchAll(/([\w:.-]+)="([^"]*)"/g)) {
      if (key in element.attributes) throw new Error(`${key} twice in <${name}>`);
      element.attributes[key] = unescape(value);
    }
    open[open.length - 1].children.push(element);
    if (!empty) open.push(element);
  }
  if (open.length !== 1 || document.children.length !== 1 || document.text.trim()) {
    throw new Error("not one root element");
  }
  return document.children[0];
}

/** Every element of a tree with a name. @param {Element} root @param {string} name @returns {Element[]} */
export const all = (root, name) => [
  ...(root.name === name ? [root] : []),
  ...root.children.flatMap((child) => all(child, name)),
];
