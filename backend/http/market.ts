/**
 * What holds for everybody on the market: wholesale prices and the carbon intensity of the grid's power. Whoever has a key
 * for it, made by the operator of the service, publishes them; everybody may read them.
 */
import { z } from "zod";
import { slotCeil, slotOf, slotStart } from "../domain/slots.ts";
import { type EpochSecond, epochSecond, microEurPerKwh } from "../domain/units.ts";
import type { Deps } from "./deps.ts";
import { granted, Problem } from "./problems.ts";
import { at, instant, instantText, money, moneyText } from "./quantities.ts";
import { type Route, route } from "./route.ts";

const MOST_DAYS = 8;
const MOST_S = MOST_DAYS * 86_400;
/** EPEX and Nord Pool allow -0.5 to 4 EUR/kWh for the next day, 10 within the day. */
const MOST_MICRO_EUR = 10_000_000;
const LEAST_MICRO_EUR = 1000;

const onSlot = instant.refine((one) => one === slotCeil(one), { error: "Give the start of a quarter-hour." });
const marketPrice = z
  .string({ error: 'Give micro-euro per kWh as text: 85 EUR/MWh is "85000".' })
  .regex(/^-?\d{1,9}$/, {
    error: ({ input }) => `"${input}" is not a whole number of micro-euro per kWh. 85 EUR/MWh is "85000".`,
  })
  .refine((text) => !(Math.abs(Number(text)) > MOST_MICRO_EUR), {
    error: ({ input }) =>
      `${input} micro-euro per kWh is ${Number(input) / 1e6} EUR/kWh: not plausible. 85 EUR/MWh is "85000".`,
  })
  .meta({ examples: ["85000", "-1200"] });
const pricePeriod = z.strictObject({ from: onSlot, until: onSlot, pricePerKwhMicroEur: marketPrice });
const carbonPeriod = z.strictObject({
  from: onSlot,
  until: onSlot,
  gramsPerKwh: z
    .int({ error: "Give whole grams of CO2 equivalent per kWh." })
    .min(0, { error: "An intensity is 0 g/kWh or more." })
    .max(3000, { error: ({ input }) => `${input} g/kWh is dirtier than any power plant. Is it in kg/MWh = g/kWh?` }),
});

type Period = { readonly from: EpochSecond; readonly until: EpochSecond };

/** Periods of a quarter-hour or more, in any order, none over another. */
function apart(periods: readonly Period[], context: z.RefinementCtx): void {
  const fault = (index: number, message: string) =>
    context.addIssue({ code: "custom", path: [index, "from"], message });
  const inOrder = periods.map((one, index) => ({ ...one, index })).sort((a, b) => a.from - b.from);
  for (const [k, { index, from, until }] of inOrder.entries())
    if (until <= from) fault(index, "`until` is not after `from`.");
    else if (k > 0 && from < inOrder[k - 1]!.until) fault(index, "It overlaps with another period.");
    else if (until - inOrder[0]!.from > MOST_S) fault(index, `Give at most ${MOST_DAYS} days at once.`);
}
const LIST = { error: "Give a list of periods, at least one." };

const priceWish = z.strictObject({
  prices: z
    .array(pricePeriod, LIST)
    .min(1, LIST)
    .superRefine(apart)
    .refine(
      (all) => {
        // What is no whole number has a fault of its own.
        const sizes = all.map(({ pricePerKwhMicroEur: text }) => (/^-?\d+$/.test(text) ? Math.abs(Number(text)) : NaN));
        return sizes.every((size) => size === 0) || sizes.some((size) => !(size < LEAST_MICRO_EUR));
      },
      { error: 'No price reaches 1 EUR/MWh. Are they in EUR/MWh? 85 EUR/MWh is "85000" micro-euro per kWh.' },
    ),
});
const carbonWish = z.strictObject({ intensities: z.array(carbonPeriod, LIST).min(1, LIST).superRefine(apart) });

const published = z
  .object({
    accepted: z.int().meta({ description: "Quarter-hours that were not known" }),
    kept: z
      .array(z.object({ from: instantText, detail: z.string() }))
      .meta({ description: "Quarter-hours that stay as they were, and why" }),
  })
  .meta({ id: "PublishedPrices" });
export const outlook = z
  .object({
    slots: z.array(
      z.object({
        from: instantText,
        pricePerKwhMicroEur: moneyText.nullable(),
        gramsPerKwh: z.int().nullable().meta({ description: "g of CO2 equivalent per kWh from the grid" }),
      }),
    ),
  })
  .meta({ id: "MarketOutlook" });
const span = z.strictObject({ from: instant.optional(), until: instant.optional() });

/** The period's quarter-hours. */
const slotsOf = ({ from, until }: Period) =>
  Array.from({ length: slotOf(until) - slotOf(from) }, (_, k) => slotOf(from) + k);

export function marketRoutes({ usecases }: Pick<Deps, "usecases">): readonly Route[] {
  const tag = "Market" as const;
  const publishers = ["market-key"] as const;
  return [
    route({
      method: "put",
      path: "/market/prices",
      tag,
      summary: "Wholesale prices, as they were published",
      description:
        "Periods of whole quarter-hours; an hourly price is one period. What is known stays; new prices follow the last " +
        "known one without a gap, and none is taken once its quarter-hour began: plans and bills were made with what was known.",
      who: publishers,
      body: priceWish,
      answers: { 200: { description: "What became of them", schema: published } },
      async handle({ body }) {
        const points = body.prices.flatMap((one) =>
          slotsOf(one).map((slot) => ({ slot, price: microEurPerKwh(Number(one.pricePerKwhMicroEur)) })),
        );
        const { accepted, kept } = granted(await usecases.publishPrices(points), body);
        return {
          status: 200,
          body: { accepted, kept: kept.map(({ slot, text }) => ({ from: at(slotStart(slot)), detail: text })) },
        };
      },
    }),
    route({
      method: "put",
      path: "/market/carbon",
      tag,
      summary: "Carbon intensity of the grid's power, measured or forecast",
      description: "The newest figure of a quarter-hour wins. Nothing is planned or billed by it.",
      who: publishers,
      body: carbonWish,
      answers: { 204: { description: "Kept" } },
      async handle({ body }) {
        await usecases.publishCarbon(
          body.intensities.flatMap((one) => slotsOf(one).map((slot) => ({ slot, gramsPerKwh: one.gramsPerKwh }))),
        );
        return { status: 204 };
      },
    }),
    route({
      method: "get",
      path: "/market",
      tag,
      summary: "Wholesale prices and carbon intensity by the quarter-hour",
      description:
        "Of the next two days, or from `from` until `until`; quarter-hours of which neither is known are left out.",
      who: [],
      query: span,
      answers: { 200: { description: "Quarter-hours, oldest first", schema: outlook } },
      async handle({ query }) {
        const from = query.from ?? usecases.now();
        const until = query.until ?? epochSecond(from + 2 * 86_400);
        const detail = `\`until\` is after \`from\`, by at most ${MOST_DAYS} days.`;
        if (until <= from || until - from > MOST_S)
          throw new Problem("invalid-request", detail, { faults: [{ parameter: "until", detail }] });
        const slots = await usecases.market(slotOf(from), slotOf(epochSecond(until - 1)) + 1);
        return {
          status: 200,
          body: {
            slots: slots.map(({ slot, price, gramsPerKwh }) => ({
              from: at(slotStart(slot)),
              pricePerKwhMicroEur: price === null ? null : money(price),
              gramsPerKwh,
            })),
          },
        };
      },
    }),
  ];
}
