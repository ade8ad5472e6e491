/** A strict reader of the XML that figures are exported as: elements in document order. @throws where it is not well-formed */

export interface XmlElement {
  name: string;
  attributes: Record<string, string>;
  /** Of this element alone, entities resolved. */
  text: string;
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const resolve = (text: string): string =>
  text.replace(/&([^;]*);?/g, (_, name: string) => {
    const code = /^#(?:x([0-9a-f]+)|(\d+))$/i.exec(name);
    if (code !== null) return String.fromCodePoint(code[1] === undefined ? Number(code[2]) : parseInt(code[1], 16));
    const known = entities[name];
    if (known === undefined) throw new Error(`Unknown entity &${name};`);
    return known;
  });

function attributesOf(text: string, element: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  const rest = text.replace(/\s+([\w:-]+)="([^"<]*)"/g, (_, name: string, value: string) => {
    if (name in attributes) throw new Error(`<${element}> has ${name} twice.`);
    attributes[name] = resolve(value);
    return '';
  });
  if (rest.trim() !== '') throw new Error(`<${element}> has attributes that are not well-formed: ${rest.trim()}`);
  return attributes;
}

export function elementsOf(xml: string): XmlElement[] {
  const elements: XmlElement[] = [];
  const open: XmlElement[] = [];
  const tokens = xml.replace(/^<\?xml[^>]*\?>\s*/, '').split(/(<[^>]*>)/);
  for (const token of tokens) {
    if (token === '') continue;
    if (!token.startsWith('<')) {
      const parent = open[open.length - 1];
      if (parent !== undefined) parent.text += resolve(token);
      else if (token.trim() !== '') throw new Error(`Text outside the document: ${token.trim()}`);
      continue;
    }
    const closing = /^<\/([\w:-]+)\s*>$/.exec(token);
    if (closing !== null) {
      const last = open.pop();
      if (last?.name !== closing[1]) throw new Error(`</${closing[1]!}> closes <${last?.name ?? 'nothing'}>.`);
      continue;
    }
    const opening = /^<([\w:-]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>$/.exec(token);
    if (opening === null) throw new Error(`Not well-formed: ${token.slice(0, 120)}`);
    if (elements.length > 0 && open.length === 0) throw new Error('A second root.');
    const element = { name: opening[1]!, attributes: attributesOf(opening[2]!, opening[1]!), text: '' };
    elements.push(element);
    if (opening[3] !== '/') open.push(element);
  }
  if (open.length > 0) throw new Error(`<${open[open.length - 1]!.name}> is never closed.`);
  return elements;
}
