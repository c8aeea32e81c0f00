/** Reads plain JSON back into typed values: a description of the shape checks and converts in one pass. */

export type Shape =
  | "text"
  | "whole"
  | "money"
  | "flag"
  | { readonly oneOf: readonly (string | null)[] }
  | { readonly nullable: Shape }
  | { readonly list: Shape }
  | { readonly tuple: readonly Shape[] }
  | { readonly record: { readonly [key: string]: Shape } };

/** The value with money as bigint. Throws a RangeError that names the first place where value and shape differ. */
export function read(shape: Shape, value: unknown, path = "$"): unknown {
  const wrong = (wanted: string) =>
    new RangeError(`${path} is ${JSON.stringify(value) ?? typeof value}, not ${wanted}.`);
  switch (shape) {
    case "text":
      if (typeof value !== "string") throw wrong("text");
      return value;
    case "whole":
      if (!Number.isSafeInteger(value)) throw wrong("a whole number");
      return value;
    case "money":
      if (typeof value !== "string" || !/^(0|-?[1-9]\d*)$/.test(value)) throw wrong("a decimal string");
      return BigInt(value);
    case "flag":
      if (typeof value !== "boolean") throw wrong("true or false");
      return value;
  }
  if ("oneOf" in shape) {
    if (!shape.oneOf.includes(value as string | null)) throw wrong(`one of ${shape.oneOf.join(", ")}`);
    return value;
  }
  if ("nullable" in shape) return value === null ? null : read(shape.nullable, value, path);
  if ("record" in shape) return readRecord(shape.record, value, path, wrong);
  if (!Array.isArray(value)) throw wrong("a list");
  if ("list" in shape) return value.map((item, index) => read(shape.list, item, `${path}[${index}]`));
  if (value.length !== shape.tuple.length) throw wrong(`a list of ${shape.tuple.length}`);
  return shape.tuple.map((one, index) => read(one, value[index], `${path}[${index}]`));
}

function readRecord(
  fields: { readonly [key: string]: Shape },
  value: unknown,
  path: string,
  wrong: (wanted: string) => RangeError,
): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong("an object");
  const given = value as { readonly [key: string]: unknown };
  const stranger = Object.keys(given).find((key) => !Object.hasOwn(fields, key));
  if (stranger !== undefined) throw new RangeError(`${path}.${stranger} is no field of it.`);
  const result: Record<string, unknown> = {};
  for (const [key, shape] of Object.entries(fields)) result[key] = read(shape, given[key], `${path}.${key}`);
  return result;
}
