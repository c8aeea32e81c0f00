/** Quantities for people: the API's whole W, Wh and micro-euro in the words of the chosen language. */
import type { Language } from "./texts/languages.ts";

export const LOCALES: Record<Language, string> = { en: "en-GB", de: "de-DE" };

export type Format = ReturnType<typeof formatIn>;

/** The platform's writers are made when first used: each takes a phone a while, and most pages need two or three. */
function writer<Value>(make: () => { format(value: Value): string }): (value: Value) => string {
  let made: ReturnType<typeof make> | null = null;
  return (value) => {
    made ??= make();
    return made.format(value);
  };
}

/** `zone`: an IANA name; the device's own without it. */
export function formatIn(language: Language, zone?: string) {
  const locale = LOCALES[language];
  const number = (digits: number, least = 0) =>
    writer<number>(
      () => new Intl.NumberFormat(locale, { minimumFractionDigits: least, maximumFractionDigits: digits }),
    );
  const [whole, one, two, three] = [number(0), number(1), number(1, 1), number(3)];
  const currency = (more: Intl.NumberFormatOptions) =>
    writer<number>(() => new Intl.NumberFormat(locale, { style: "currency", currency: "EUR", ...more }));
  const [money, fine] = [currency({}), currency({ maximumFractionDigits: 4 })];
  const place = zone === undefined ? {} : { timeZone: zone };
  const instant = (parts: Intl.DateTimeFormatOptions, of: string = locale) =>
    writer<Date>(() => new Intl.DateTimeFormat(of, { ...parts, ...place }));
  const clock = instant({ hour: "2-digit", minute: "2-digit" });
  const day = instant({ weekday: "short", day: "numeric", month: "short" });
  const dayKey = instant({ year: "numeric", month: "2-digit", day: "2-digit" }, "en-CA");
  const span = writer<readonly [Date, Date]>(() => {
    const format = new Intl.DateTimeFormat(locale, { dateStyle: "medium", ...place });
    return { format: ([from, until]) => format.formatRange(from, until) };
  });
  const full = instant({ dateStyle: "medium", timeStyle: "short" });

  return {
    /** 7.4 kW, from whole W. */
    kw: (w: number) => `${(Math.abs(w) < 100_000 ? two : whole)(w / 1000)} kW`,
    /** 12.3 kWh, from whole Wh. */
    kwh: (wh: number) => `${(Math.abs(wh) < 1_000_000 ? two : whole)(wh / 1000)} kWh`,
    /** FLEX, from the Wh that it stands for: 1 FLEX is 1 kWh, with three digits behind the point. */
    flex: (wh: number) => `${three(wh / 1000)}`,
    /** CO2 equivalent, from whole grams. */
    carbon: (g: number) => (Math.abs(g) < 1000 ? `${whole(g)} g` : `${two(g / 1000)} kg`),
    /** 6.2 ct, from micro-euro. */
    cents: (micro: number) => `${two(micro / 10_000)} ct`,
    percent: (part: number) => `${whole(100 * part)} %`,
    count: (n: number) => whole(n),
    decimal: (n: number) => one(n),
    /** Euros, from micro-euro as text or bigint. */
    euro: (micro: string | bigint) => money(Number(micro) / 1e6),
    /** With up to four digits behind the point, for what is worth less than a cent. */
    euroFine: (micro: string | bigint | number) => fine(Number(micro) / 1e6),
    /** Price per kWh, from micro-euro. */
    price: (micro: string | number) => `${fine(Number(micro) / 1e6)}/kWh`,
    time: (at: string | Date) => clock(new Date(at)),
    /** The time, with the day where it is not today. */
    when: (at: string | Date, now = new Date()) => {
      const then = new Date(at);
      return dayKey(then) === dayKey(now) ? clock(then) : `${day(then)}, ${clock(then)}`;
    },
    date: (at: string | Date) => full(new Date(at)),
    day: (at: string | Date) => day(new Date(at)),
    /** First to last day of a time that ends before `until`. */
    days: (from: string, until: string) => span([new Date(from), new Date(Date.parse(until) - 1)]),
    /** 1 h 20 min, from seconds. */
    lasting: (seconds: number) => {
      const minutes = Math.round(Math.abs(seconds) / 60);
      const [h, m] = [Math.floor(minutes / 60), minutes % 60];
      return [h > 0 ? `${h} h` : "", m > 0 || h === 0 ? `${m} min` : ""].filter((text) => text !== "").join(" ");
    },
    /** 0x1234…abcd, of an address or a hash. */
    short: (hex: string) => (hex.length > 14 ? `${hex.slice(0, 8)}…${hex.slice(-6)}` : hex),
  };
}
