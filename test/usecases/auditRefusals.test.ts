import { expect } from "chai";
import { wattHour } from "../../backend/domain/units.ts";
import { type GroupFile, readFacts, type SessionFile } from "../../backend/usecases/auditFacts.ts";
import { createFindings } from "../../backend/usecases/auditFindings.ts";
import { auditRefusals } from "../../backend/usecases/auditRefusals.ts";
import { liftGroupLimit } from "../../backend/usecases/setGroupLimit.ts";
import { aSite, GROUP, HOUR, T0 } from "../support/world.ts";

type Refusal = SessionFile["refusals"][number];

describe("The audit of refusals", () => {
  let group: GroupFile;
  let refusal: Refusal;
  before(async () => {
    const site = await aSite({ limitW: 12_000, evses: 3 });
    await (await site.plugIn(1)).ask(8_000, T0 + HOUR);
    const car = await site.plugIn(2);
    expect((await car.ask(8_000, T0 + HOUR)).kind).to.equal("counter-offer");
    await site.minutes(20);
    const facts = await readFacts(site.store, site.world.settings.market, () => undefined);
    group = facts.groups[0]!;
    refusal = group.sessions[1]!.refusals[0]!;
  });

  async function findings(change: Partial<Refusal>, others: Partial<GroupFile> = {}) {
    const found = createFindings();
    const sessions = group.sessions.map((own, i) =>
      i === 1 ? { ...own, refusals: [{ ...refusal, ...change }] } : own,
    );
    await auditRefusals([{ ...group, sessions, ...others }], null, found);
    return found.differences.map(({ text }) => text).join("\n");
  }
  /** The byte at a place, counted from the end where it is negative, changed by one. */
  const flip = (hex: string, place: number) => {
    const bytes = Buffer.from(hex, "hex");
    const at = place < 0 ? bytes.length + place : place;
    bytes[at] = bytes[at]! ^ 1;
    return bytes.toString("hex");
  };

  it("finds nothing in an honest one", async () => {
    expect(await findings({})).to.equal("");
  });

  it("finds a shortfall that the proof does not show", async () => {
    const shortfallWh = wattHour(refusal.shortfallWh + 1);
    expect(await findings({ shortfallWh })).to.contain(`says that ${shortfallWh} Wh were missing`);
  });

  it("finds a limit that was made smaller, a promise that was made larger, and a price", async () => {
    // An interval's 26 bytes: duration u16, limit u32, demand u32, production u32, fixed u32, feed-in i32, price i32.
    expect(await findings({ problem: flip(refusal.problem, -26 + 4) })).to.contain("the limit gives");
    // A car's 20 bytes follow the header of 64: session u32, row u16, feeder u8, need u24.
    expect(await findings({ problem: flip(refusal.problem, 64 + 7) })).to.contain("was promised 8000 Wh");
    expect(await findings({ problem: flip(refusal.problem, -1) })).to.contain("counts prices");
  });

  it("finds nothing where the limit that stood in the way was lifted since", async () => {
    const site = await aSite({ limitW: 30_000 });
    await site.limit("operator", 8_000);
    const car = await site.plugIn(1);
    expect((await car.ask(10_000, T0 + HOUR)).kind).to.equal("counter-offer");
    await site.minutes(5);
    await liftGroupLimit(site.world, GROUP, site.now());
    await site.minutes(20);
    const facts = await readFacts(site.store, site.world.settings.market, () => undefined);
    const found = createFindings();
    await auditRefusals(facts.groups, null, found);
    expect(found.differences).to.deep.equal([]);
    expect(found.table()[0]).to.include({ checked: 2 });
  });

  it("finds a forged certificate and bytes that are none", async () => {
    expect(await findings({ y: flip(refusal.y, -8) })).not.to.equal("");
    expect(await findings({ x: flip(refusal.x, 2) })).not.to.equal("");
    expect(await findings({ w: "00" })).not.to.equal("");
  });

  it("finds one that is about somebody else", async () => {
    const [first, second] = group.sessions as [SessionFile, SessionFile];
    const swapped = [
      { ...first, refusals: [refusal] },
      { ...second, refusals: [] },
    ];
    expect(await findings({}, { sessions: swapped })).to.not.equal("");
  });
});
