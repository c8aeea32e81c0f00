/** Euros as they are typed become whole micro-euro as text, without a detour over fractions; null when they are none. */
export function microEurOf(text: string): string | null {
  const [, whole, part = ""] = /^(\d{1,9})(?:[.,](\d{0,6}))?$/.exec(text.trim()) ?? [];
  return whole === undefined ? null : `${BigInt(whole) * 1_000_000n + BigInt(part.padEnd(6, "0"))}`;
}
