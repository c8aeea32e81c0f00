/** What may come in. Every object is closed: a misspelled member is a fault with its own pointer, never ignored. */
import { getAddress, isAddress } from "ethers";
import { z } from "zod";
import { isTimeZone } from "../domain/localTime.ts";
import { SLOT_S } from "../domain/slots.ts";
import { microEur } from "../domain/units.ts";
import { id, instant, limitW, name, needWh, powerW, price, printable, ratedW, registerWh } from "./quantities.ts";

const email = z
  .email({ error: "Give an e-mail address." })
  .max(200, { error: "Give at most 200 characters." })
  .meta({ examples: ["driver@example.org"] });
const password = z
  .string({ error: "Give text." })
  .min(10, { error: "Give at least 10 characters." })
  .max(128, { error: "Give at most 128 characters." });
const phases = z.union([z.literal(1), z.literal(2), z.literal(3)], { error: "Give 1, 2 or 3 phases." });
const yes = z.literal(true, { error: "Oli Move needs the driver's consent: give true, or do not register." });

/* ---------------------------------------------------------------------------------------------- accounts */

export const signUp = z.strictObject({
  email,
  name,
  password,
  consent: yes.meta({ description: "The driver agrees to CONSENT (see the description of this route)." }),
});
export const signIn = z.strictObject({ email, password: z.string({ error: "Give text." }).min(1).max(128) });

/* ------------------------------------------------------------------------------------------------ driver */

export const preferences = z.strictObject({
  optIn: z.boolean({ error: "Give true or false." }),
  energyNeedWh: needWh.nullable(),
  stayS: z
    .int({ error: "Give whole seconds." })
    .min(300, { error: ({ input }) => `A stay of ${input} s is shorter than five minutes. Is it in seconds?` })
    .max(9 * 86_400, { error: ({ input }) => `A stay of ${input} s is longer than nine days. Is it in seconds?` })
    .nullable(),
  batteryWh: z
    .int({ error: "Give whole Wh." })
    .min(1000, {
      error: ({ input }) =>
        `A battery of ${input} Wh is not a car's. Is ${input} kWh = ${Number(input) * 1000} Wh meant?`,
    })
    .max(1_000_000, { error: ({ input }) => `A battery of ${input} Wh is not plausible. Is it in Wh?` })
    .nullable(),
  targetPercent: z
    .int({ error: "Give whole percent." })
    .min(1, { error: "Give a state of charge of 1 to 100 percent." })
    .max(100, { error: "Give a state of charge of 1 to 100 percent." })
    .nullable()
    .default(null)
    .meta({ description: "State of charge that the driver usually wishes; what forms begin with" }),
  cannotPause: z.boolean({ error: "Give true for a car that does not go on once it was stopped." }).optional().meta({
    description: "The car does not go on once it was stopped: its least power is held until its energy is in",
  }),
});

/** Text of several lines. */
const words = (most: number) =>
  z
    .string({ error: "Give text." })
    .trim()
    .min(1, { error: "Say in a few words what is wrong." })
    .max(most, { error: `Give at most ${most} characters.` })
    .refine((text) => !/[^\P{Cc}\n\r\t]/u.test(text) && text.isWellFormed(), {
      error: "Leave out control characters.",
    });

export const dispute = z.strictObject({
  reason: words(2000).meta({ description: "What is wrong with the bill; the operator and the arbiter read it" }),
});

const car = {
  carMaxPowerW: ratedW.optional(),
  phases: phases.optional(),
  cannotPause: z.boolean({ error: "Give true for a car that does not go on once it was stopped." }).optional(),
};
const requestId = id.optional().meta({
  description: "Chosen by the client: the same id again is the same request, answered again without a second session.",
});
const seconds = (most: number) =>
  z
    .int({ error: "Give whole seconds." })
    .min(60, { error: ({ input }) => `${input} s is less than a minute. Is it in seconds?` })
    .max(most, { error: ({ input }) => `${input} s is too long here (${most} s at most). Is it in seconds?` });
const percent = z
  .int({ error: "Give whole percent." })
  .min(0, { error: "Give 0 to 100 %." })
  .max(100, { error: "Give 0 to 100 %." });
const batteryWh = z
  .int({ error: "Give whole Wh." })
  .min(1000, { error: ({ input }) => `A battery of ${input} Wh is not a car's. Is it in Wh?` })
  .max(1_000_000, { error: ({ input }) => `A battery of ${input} Wh is not plausible. Is it in Wh?` });

/** All strategies: an amount, a time, perhaps a start, perhaps a part of it first. */
const wish = {
  energyNeedWh: needWh.optional().meta({ description: "Wh at the meter; or give `soc`" }),
  soc: z
    .strictObject({
      fromPercent: percent,
      toPercent: percent,
      batteryWh: batteryWh.optional().meta({ description: "Wh; else the one of the preferences" }),
    })
    .refine((soc) => soc.toPercent > soc.fromPercent, {
      path: ["toPercent"],
      error: "The target is not above the state of charge at the start.",
    })
    .optional()
    .meta({
      description: "Target state of charge: 12 % of the energy are counted as losses on the way to the battery",
    }),
  departsAt: instant.optional(),
  withinS: seconds(9 * 86_400)
    .optional()
    .meta({ description: "s from now on; instead of `departsAt`" }),
  strategy: z
    .enum(["cheapest", "fastest"], { error: 'Give "cheapest" (by the departure) or "fastest" (as soon as possible).' })
    .optional()
    .meta({
      description:
        "fastest: by the earliest time that can be promised, at the latest by the departure, if there is one",
    }),
  notBefore: instant.optional().meta({ description: "Planned start" }),
  first: z
    .strictObject({
      energyWh: needWh.optional(),
      toPercent: percent.optional(),
      by: instant.optional(),
      withinS: seconds(9 * 86_400).optional(),
    })
    .optional()
    .meta({ description: "Minimum energy first: a part of the need by an earlier time" }),
};
type WishBody = z.output<z.ZodObject<typeof wish>>;

/** What a wish lacks or says twice; the answer of a refinement. */
function needsOne(body: WishBody, context: z.RefinementCtx): void {
  const fault = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
  const { energyNeedWh, soc, departsAt, withinS, strategy, first } = body;
  if ((energyNeedWh === undefined) === (soc === undefined))
    fault(["energyNeedWh"], "Give energyNeedWh, or soc with the states of charge; one of them.");
  if (departsAt !== undefined && withinS !== undefined) fault(["withinS"], "Give departsAt or withinS, not both.");
  if (departsAt === undefined && withinS === undefined && strategy !== "fastest")
    fault(["departsAt"], 'Give departsAt or withinS; only "fastest" can do without.');
  if (!first) return;
  if ((first.energyWh === undefined) === (first.toPercent === undefined))
    fault(["first"], "Give first.energyWh or first.toPercent; one of them.");
  if (first.toPercent !== undefined && !soc)
    fault(["first", "toPercent"], "A first state of charge needs soc. Or give first.energyWh.");
  if (first.toPercent !== undefined && soc && (first.toPercent <= soc.fromPercent || first.toPercent > soc.toPercent))
    fault(["first", "toPercent"], "The first state of charge lies between the start and the target.");
  if ((first.by === undefined) === (first.withinS === undefined))
    fault(["first"], "Give first.by or first.withinS; one of them.");
}

export const sessionWish = z.discriminatedUnion(
  "optIn",
  [
    z.strictObject({ evseId: id, optIn: z.literal(true), ...wish, requestId, ...car }).superRefine(needsOne),
    z.strictObject({ evseId: id, optIn: z.literal(false), requestId, ...car }),
  ],
  { error: "Give optIn: true with energyNeedWh and departsAt, or optIn: false." },
);
export const chargingRequest = z.strictObject(wish).superRefine(needsOne);
export const offerAnswer = z.strictObject({
  accept: z.boolean({ error: "Give true to take the offer, false to leave it." }),
  which: z
    .enum(["less", "later"], { error: 'Give "less" (what fits by the departure) or "later" (all of it, later).' })
    .optional()
    .meta({
      description: "less (the default) is held while the offer stands; later is asked for again when it is taken",
    }),
});
export const boost = z.strictObject({
  until: instant.optional().meta({ description: "An hour from now without it; a day with an energy" }),
  energyWh: needWh.optional().meta({ description: "Wh; the boost ends when they are in" }),
});
const minute = z
  .int({ error: "Give whole minutes since midnight." })
  .min(0, { error: "Give 0 to 1439 minutes since midnight." })
  .max(1439, { error: "Give 0 to 1439 minutes since midnight." });
export const strategies = z.strictObject({
  windows: z
    .array(
      z.strictObject({
        fromMinute: minute.meta({ description: "Minutes since midnight of the location's clock at plug-in" }),
        toMinute: minute.meta({ description: "Not above fromMinute: over midnight; the same: the whole day" }),
        energyWh: needWh,
        strategy: z.discriminatedUnion(
          "kind",
          [
            z.strictObject({ kind: z.literal("fastest") }),
            z.strictObject({ kind: z.literal("cheapest"), stayS: seconds(9 * 86_400) }),
            z.strictObject({ kind: z.literal("until"), minute, notBeforeMinute: minute.nullable().default(null) }),
          ],
          { error: 'Give kind "fastest", "cheapest" with stayS, or "until" with minute.' },
        ),
      }),
    )
    .max(24, { error: "Give at most 24 windows." }),
});
export const redemption = z.strictObject({
  cpoId: id,
  wh: z
    .int({ error: "Give whole Wh of FLEX." })
    .min(1, { error: "Redeem at least 1 Wh of FLEX." })
    .max(1_000_000_000, { error: "That is more FLEX than there can be." }),
});

const amountMicroEur = z
  .string({ error: 'Give micro-euro as text: 1.50 EUR is "1500000".' })
  .regex(/^\d{1,18}$/, {
    error: ({ input }) => `"${input}" is not a whole number of micro-euro. 1.50 EUR is "1500000".`,
  })
  .meta({ examples: ["1500000"] })
  .transform((text) => microEur(/^\d+$/.test(text) ? BigInt(text) : 0n));
const ownAddress = z
  .string({ error: "Give an address on chain." })
  .refine((text) => isAddress(text) && text.startsWith("0x"), {
    error: "This is no address: 0x and 40 hex digits, whose capitals are its checksum. Copy it again from your wallet.",
  })
  .transform((text) => (isAddress(text) ? getAddress(text) : text) as `0x${string}`);
/** Money leaves only for somebody who knows the password: a session alone may be stolen. */
const again = signIn.shape.password.meta({ description: "The account's password, again" });
export const announcement = z.strictObject({ amountMicroEur });
export const withdrawal = z.strictObject({ amountMicroEur, to: ownAddress, password: again });
export const keyExport = z.strictObject({
  password: again,
  understood: z
    .literal(true, { error: "Give true: whoever holds the key can spend what is on the account." })
    .meta({ description: "Whoever holds the key can spend what is on the account" }),
});
export const erasure = z.strictObject({
  password: again,
  giveUp: z.boolean({ error: "Give true or false." }).default(false).meta({
    description: "Leave to nobody what is on the account: it stays in the contract for ever",
  }),
});
export const flexClaim = z.strictObject({ to: ownAddress, password: again });

/* --------------------------------------------------------------------------------------------------- CPO */

export const groupLimit = z.strictObject({
  kind: z.enum(["operator", "order"], {
    error: 'Give "operator" for a limit of your own, "order" for a grid operator\'s.',
  }),
  limitW,
  from: instant,
  until: instant.nullable(),
});
export const algorithm = z.strictObject({
  name: z.string({ error: "Give the name of an algorithm; GET /cpo/algorithms lists them." }).max(100),
  parameters: z
    .record(z.string().max(100), z.number({ error: "Give a number." }), { error: "Give parameters by name." })
    .default({})
    .meta({ description: "By name; GET /cpo/algorithms lists them with unit, default and bounds" }),
});
export const tariff = z.strictObject({ pricePerKwhMicroEur: price });
export const key = z
  .strictObject({
    name,
    purpose: z.enum(["cpo", "hems"], { error: 'Give "cpo" for a back end, "hems" for an energy manager.' }),
    locationId: id.nullable().default(null),
    groupId: id.nullable().default(null),
  })
  .refine((wish) => wish.purpose === "cpo" || wish.groupId !== null, {
    path: ["groupId"],
    error: "A HEMS reports for one group: give its id.",
  });
const degrees = (name: string, most: number) => {
  const error = `Give the ${name} as a number of decimal degrees, from -${most} to ${most}.`;
  return z
    .number({ error })
    .min(-most, { error })
    .max(most, { error })
    .meta({ description: "decimal degrees, WGS 84" });
};
const coordinates = z
  .strictObject(
    { latitude: degrees("latitude", 90), longitude: degrees("longitude", 180) },
    { error: "Give latitude and longitude, or null." },
  )
  .nullable()
  .default(null);
/** Lengths are OCPI's. */
const floorLevel = printable(4).nullable().default(null).meta({ description: "As the sign says: -1, 0, P2" });
const physicalReference = printable(16)
  .nullable()
  .default(null)
  .meta({ description: "What stands at the bay: a number, a name" });
export const place = z.strictObject({ coordinates, floorLevel, physicalReference });

export const site = z.strictObject({
  payee: z
    .string({ error: "Give an address on chain." })
    .regex(/^0x[0-9a-fA-F]{40}$/, {
      error: "Give the address on chain that receives the CPO's money: 0x and 40 hex digits.",
    })
    .transform((text) => text as `0x${string}`)
    .optional()
    .meta({ description: "Who receives the CPO's money; needed with its first site" }),
  location: z.strictObject({
    id,
    name,
    timeZone: id.refine(isTimeZone, {
      error: ({ input }) => `"${input}" is not an IANA time zone such as Europe/Berlin.`,
    }),
    coordinates,
  }),
  tariff: z
    .strictObject({ id, pricePerKwhMicroEur: price })
    .optional()
    .meta({ description: "Needed with the CPO's first site; else the present one holds" }),
  groups: z
    .array(
      z.strictObject({
        id,
        supplyLimitW: limitW.refine((w) => w > 0, { error: "A group without supply cannot charge anything." }),
        limitKind: z.enum(["contract", "thermal"], {
          error: 'Give "contract" (15-minute mean) or "thermal" (never above).',
        }),
        feedInMicroEurPerKwh: z.union([z.literal("0"), price]),
        evses: z.array(z.strictObject({ id, maxPowerW: ratedW, phases, ...place.shape })).max(1000),
        pvs: z.array(z.strictObject({ id, ratedPowerW: powerW() })).max(100),
      }),
    )
    .min(1, { error: "Give at least one group." })
    .max(100, { error: "Give at most 100 groups at once." }),
});

/* ----------------------------------------------------------------------------------------------- arbiter */

export const decision = z.strictObject({
  refundMicroEur: z
    .string({ error: 'Give micro-euro as text: EUR 1.50 is "1500000".' })
    .regex(/^\d{1,18}$/, {
      error: ({ input }) => `"${input}" is not a whole number of micro-euro. EUR 1.50 is "1500000".`,
    })
    .meta({ description: "micro-euro that the bill is lowered by, up to the bill", examples: ["1500000"] })
    .transform((text) => microEur(/^\d+$/.test(text) ? BigInt(text) : 0n)),
  flexDeltaWh: z
    .int({ error: "Give whole Wh." })
    .min(-1_000_000, { error: "Give at least -1000000 Wh." })
    .max(1_000_000, { error: "Give at most 1000000 Wh." })
    .default(0)
    .meta({ description: "Wh of FLEX given; negative: taken back" }),
  text: words(2000).meta({ description: "Why; the driver and the operator read it" }),
});

/* ---------------------------------------------------------------------------------------------- machines */

export const evseStatus = z.strictObject({
  status: z.enum(["AVAILABLE", "BLOCKED", "CHARGING", "INOPERATIVE", "OUTOFORDER", "UNKNOWN"], {
    error: "Give an OCPI status: AVAILABLE, BLOCKED, CHARGING, INOPERATIVE, OUTOFORDER or UNKNOWN.",
  }),
  at: instant,
});
export const plugIn = z.strictObject({
  sessionId: id,
  evseId: id,
  driverId: id.nullable().default(null),
  at: instant,
  registerWh,
  ...car,
});
export const plugOut = z.strictObject({ at: instant, registerWh });

const MOST_READINGS = 1000;
const batch = <T extends z.ZodType>(of: T, what: string) =>
  z
    .array(of, { error: `Give a list of ${what}.` })
    .min(1, { error: `Give at least one of the ${what}.` })
    .max(MOST_READINGS, { error: `Give at most ${MOST_READINGS} ${what} at once.` });

export const meterValues = z.strictObject({
  readings: batch(
    z.strictObject({
      sessionId: id,
      at: instant,
      registerWh,
      powerW: powerW(1_000_000),
      socPercent: percent.optional(),
    }),
    "readings",
  ),
});
export const profileAnswer = z.strictObject({
  state: z.enum(["applied", "refused"], { error: 'Give "applied" or "refused".' }),
  at: instant,
});
export const siteReadings = z.strictObject({
  readings: batch(
    z.strictObject({
      at: instant,
      buildingW: powerW(),
      pvW: powerW(),
      batteryW: z
        .int({ error: "Give whole W." })
        .min(-10_000_000)
        .max(10_000_000)
        .optional()
        .meta({ description: "W; positive while the battery charges, negative while it feeds the group" }),
    }),
    "readings",
  ),
});
export const forecast = z.strictObject({
  points: batch(
    z.strictObject({
      from: instant.refine((at) => at % SLOT_S === 0, {
        error: "A point begins with a slot: at minute 00, 15, 30 or 45 of UTC, second 00.",
      }),
      buildingW: powerW(),
      pvW: powerW(),
    }),
    "points",
  ),
});

/* --------------------------------------------------------------------------------------- query and path */

export const page = z.strictObject({
  limit: z.coerce
    .number({ error: "Give a number from 1 to 200." })
    .int({ error: "Give a whole number." })
    .min(1, { error: "Give at least 1." })
    .max(200, { error: "Give at most 200." })
    .default(50),
});
export const ofSession = z.strictObject({ sessionId: id });
export const ofGroup = z.strictObject({ groupId: id });
export const ofEvse = z.strictObject({ evseId: id });
export const ofProfile = z.strictObject({ profileId: id });
export const ofKey = z.strictObject({ keyId: id });
