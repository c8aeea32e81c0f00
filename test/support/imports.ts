/** Reads what a TypeScript source imports and mentions, and holds both against the rules of the house. */
import { posix } from "node:path";

/** Which folders and files of backend/ a folder may import; `types` may be imported as types only. */
export type Allowance = { readonly may: readonly string[]; readonly types?: readonly string[] };
export type House = Readonly<Record<string, Allowance>>;

type Import = { readonly from: string; readonly typeOnly: boolean };

const STRING_OR_COMMENT = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g;
const isComment = (text: string) => text.startsWith("/*") || text.startsWith("//");

/** The source without its comments. */
const uncommented = (source: string) => source.replace(STRING_OR_COMMENT, (text) => (isComment(text) ? " " : text));
/** The source without comments and quoted strings; templates stay, because they hold code. */
const codeOf = (source: string) => source.replace(STRING_OR_COMMENT, (text) => (text.startsWith("`") ? text : " "));

export function importsOf(source: string): Import[] {
  const pattern = /\b(?:import|export)\s+(type\s)?(?:[\w*{][\w\s{},*$]*?\bfrom\s*)?["']([^"']+)["']/g;
  const dynamic = /\bimport\s*\(\s*(?:["'`]([^"'`]+)["'`])?/g;
  const code = uncommented(source);
  return [
    ...[...code.matchAll(pattern)].map(([, type, from]) => ({ from: from!, typeOnly: type !== undefined })),
    ...[...code.matchAll(dynamic)].map(([, from]) => ({ from: from ?? "an expression", typeOnly: false })),
  ];
}

/** Imports of one file of backend/ that the house does not allow, as sentences. `file` is relative to backend/. */
export function strayImports(file: string, source: string, house: House): string[] {
  const room = roomOf(file, house);
  if (room === undefined) return [`${file} is in no room of the house`];
  const { may, types = [] } = house[room]!;
  return importsOf(source).flatMap(({ from, typeOnly }) => {
    const target = from.startsWith(".") ? posix.normalize(posix.join(posix.dirname(file), from)) : `package:${from}`;
    const allowed = [room, ...may, ...(typeOnly ? types : [])].some((place) => within(target, place));
    return allowed ? [] : [`${file} imports ${target}${typeOnly ? " (types)" : ""}`];
  });
}

/** Words of one file that its rules forbid, as sentences. */
export function strayWords(file: string, source: string, forbidden: Readonly<Record<string, RegExp>>): string[] {
  const code = codeOf(source);
  return Object.entries(forbidden).flatMap(([what, pattern]) => (pattern.test(code) ? [`${file} uses ${what}`] : []));
}

/** The most specific room that the file is in. */
function roomOf(file: string, house: House): string | undefined {
  return Object.keys(house)
    .filter((room) => within(file, room))
    .sort((a, b) => b.length - a.length)[0];
}

const within = (path: string, place: string) =>
  place === "*" ? true : place.endsWith(":") ? path.startsWith(place) : path === place || path.startsWith(`${place}/`);
