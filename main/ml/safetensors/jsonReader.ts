/**
 * A strict JSON reader (RFC 8259) for untrusted text. The caller asks for what should come next, so nothing is built
 * that nobody asked for; keys reach the caller one by one, so a repeated key is seen and `__proto__` is only a string.
 * Depth, length of texts and number of values are bounded.
 */

export class JsonFault extends Error {
  override name = 'JsonFault';
  /** True for a key that occurs twice in one object. */
  readonly duplicate: boolean;
  constructor(message: string, duplicate = false) {
    super(message);
    this.duplicate = duplicate;
  }
}

export interface JsonLimits {
  /** Nesting of objects and arrays. */
  depth: number;
  /** Values built by `value()`. */
  values: number;
}

export const defaultJsonLimits: JsonLimits = { depth: 64, values: 200_000 };

const numberPattern = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
/** Everything up to the next quote, backslash or control character. */
const plainText = /[^"\\\u0000-\u001f]*/y;
const escapes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

export class JsonReader {
  readonly #text: string;
  readonly #limits: JsonLimits;
  #at = 0;
  #depth = 0;
  #values = 0;

  constructor(text: string, limits: JsonLimits = defaultJsonLimits) {
    this.#text = text;
    this.#limits = limits;
  }

  /** The first character of the next value: `{ [ " t f n -` or a digit; '' at the end. */
  peek(): string {
    this.#space();
    return this.#text.charAt(this.#at);
  }

  /** @param onMember reads the member's value; called once a key, in the text's order */
  object(onMember: (key: string) => void): void {
    this.#open('{');
    if (!this.#take('}')) {
      do {
        if (this.peek() !== '"') throw this.#fault('a key in quotes was expected');
        const key = this.string();
        if (!this.#take(':')) throw this.#fault('":" was expected');
        onMember(key);
      } while (this.#take(','));
      if (!this.#take('}')) throw this.#fault('"," or "}" was expected');
    }
    this.#depth--;
  }

  /** @param onItem reads one item */
  array(onItem: (index: number) => void): void {
    this.#open('[');
    if (!this.#take(']')) {
      let index = 0;
      do onItem(index++);
      while (this.#take(','));
      if (!this.#take(']')) throw this.#fault('"," or "]" was expected');
    }
    this.#depth--;
  }

  string(): string {
    if (!this.#take('"')) throw this.#fault('a text was expected');
    const parts: string[] = [];
    for (;;) {
      plainText.lastIndex = this.#at;
      parts.push(plainText.exec(this.#text)![0]);
      this.#at = plainText.lastIndex;
      const next = this.#text.charAt(this.#at);
      if (next === '"') break;
      if (next !== '\\') throw this.#fault(next === '' ? 'a text has no end' : 'a text holds a control character');
      parts.push(this.#escape());
    }
    this.#at++;
    const text = parts.length === 1 ? parts[0]! : parts.join('');
    if (!text.isWellFormed()) throw this.#fault('a text holds half of a surrogate pair');
    return text;
  }

  /** A number as it is written, so that the caller decides what is exact. */
  numberText(): string {
    this.#space();
    numberPattern.lastIndex = this.#at;
    const match = numberPattern.exec(this.#text);
    if (match === null) throw this.#fault('a number was expected');
    this.#at = numberPattern.lastIndex;
    return match[0];
  }

  /** true, false or null. */
  literal(): boolean | null {
    this.#space();
    for (const [word, value] of [
      ['true', true],
      ['false', false],
      ['null', null],
    ] as const) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    throw this.#fault('a value was expected');
  }

  /** Any value as plain data. Objects have no prototype; a repeated key and `__proto__` are faults. */
  value(): unknown {
    if (++this.#values > this.#limits.values) throw this.#fault(`more than ${this.#limits.values} values`);
    switch (this.peek()) {
      case '{': {
        const fields = Object.create(null) as Record<string, unknown>;
        this.object((key) => {
          this.#checkKey(fields, key);
          fields[key] = this.value();
        });
        return fields;
      }
      case '[': {
        const items: unknown[] = [];
        this.array(() => items.push(this.value()));
        return items;
      }
      case '"':
        return this.string();
      case 't':
      case 'f':
      case 'n':
        return this.literal();
      default:
        return Number(this.numberText());
    }
  }

  /** @throws JsonFault when anything but white space is left */
  end(): void {
    if (this.peek() !== '') throw this.#fault('more text follows the end');
  }

  #checkKey(fields: object, key: string): void {
    const quoted = JSON.stringify(key.slice(0, 80));
    if (Object.hasOwn(fields, key)) throw new JsonFault(`the key ${quoted} occurs twice`, true);
    // Code further on may copy the fields into an ordinary object.
    if (key === '__proto__') throw this.#fault(`the key ${quoted} is not accepted`);
  }

  #open(bracket: '{' | '['): void {
    if (!this.#take(bracket)) throw this.#fault(bracket === '{' ? 'an object was expected' : 'a list was expected');
    if (++this.#depth > this.#limits.depth) throw this.#fault(`nested deeper than ${this.#limits.depth}`);
  }

  #take(character: string): boolean {
    if (this.peek() !== character) return false;
    this.#at++;
    return true;
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  #escape(): string {
    const letter = this.#text.charAt(this.#at + 1);
    if (letter === 'u') {
      const digits = this.#text.slice(this.#at + 2, this.#at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#fault('a broken \\u escape');
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const character = escapes.get(letter);
    if (character === undefined) throw this.#fault('an unknown escape');
    this.#at += 2;
    return character;
  }

  #fault(what: string): JsonFault {
    return new JsonFault(`${what} at character ${this.#at + 1}`);
  }
}

/** Parses one whole text; @throws JsonFault. */
export function parseStrictJson(text: string, limits: JsonLimits = defaultJsonLimits): unknown {
  const reader = new JsonReader(text, limits);
  const value = reader.value();
  reader.end();
  return value;
}
