/**
 * Canonical JSON: one value, one text, so that a hash of it can be compared. After RFC 8785 (JCS): no white space, keys
 * in ascending order of UTF-16 code units, strings as ECMAScript writes them. Numbers are whole; money (bigint) and
 * everything that a double cannot hold exactly is a decimal string.
 */
export type Canonical =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly Canonical[]
  | { readonly [key: string]: Canonical };

/** Throws on what has no one text: fractions, numbers beyond 2^53, undefined, lone surrogates. */
export function canonical(value: Canonical, path = "$"): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "bigint") return `"${value}"`;
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value))
      throw new RangeError(`${path} is ${value}; write it as a whole number or a bigint.`);
    return String(value === 0 ? 0 : value);
  }
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw new RangeError(`${path} is no well-formed Unicode; remove the lone surrogate.`);
    return JSON.stringify(value);
  }
  if (typeof value !== "object") throw new RangeError(`${path} is ${typeof value}; leave the key out or write null.`);
  if (isList(value)) return `[${value.map((item, index) => canonical(item, `${path}[${index}]`)).join(",")}]`;
  const pairs = Object.keys(value)
    .sort()
    .map((key) => `${canonical(key, `${path} key`)}:${canonical(value[key] as Canonical, `${path}.${key}`)}`);
  return `{${pairs.join(",")}}`;
}

/** UTF-8 of the canonical text. */
export const canonicalBytes = (value: Canonical): Uint8Array => new TextEncoder().encode(canonical(value));

const isList = (value: Canonical): value is readonly Canonical[] => Array.isArray(value);
