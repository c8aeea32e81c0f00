import { expect } from "chai";
import { limitAt, type SentProfile } from "../../backend/domain/profiles.ts";
import { epochSecond, watt } from "../../backend/domain/units.ts";
import { agree, answerProfile } from "../../backend/usecases/dispatchProfiles.ts";
import { presentProblem } from "../../backend/usecases/runControlCycle.ts";
import { aSite, HOUR, MINUTE, type Site, T0 } from "../support/world.ts";

/** Two cars behind 12 kW: the first charges with all of it when the second comes with a promise of 5 kWh in 35 min. */
async function urgentNeighbour(before: (site: Site) => void = () => {}) {
  const site = await aSite({ limitW: 12_000, limitKind: "thermal" });
  const first = await site.plugIn(1);
  await site.minutes(20);
  const second = await site.plugIn(2);
  before(site);
  const answer = await second.ask(5_000, site.in(35 * MINUTE));
  expect(answer.kind).to.equal("accepted");
  return { site, first, second };
}

const firstAfter = (profiles: readonly SentProfile[], at: number) => {
  const found = profiles.find((profile) => profile.sentAt > at);
  if (!found) throw new Error(`no profile was sent after ${at}`);
  return found;
};

describe("Dispatch of profiles", () => {
  it("sends an increase only when the decrease that makes room for it is confirmed", async () => {
    const { site, first, second } = await urgentNeighbour();
    const asked = site.now();
    expect(first.allowedW).to.be.greaterThan(11_000);
    await site.minutes(2);
    const decrease = firstAfter(await first.profiles(), asked);
    const increase = firstAfter(await second.profiles(), asked);
    expect(limitAt(decrease.profile, epochSecond(asked + 60))).to.be.lessThan(3_000);
    expect(limitAt(increase.profile, epochSecond(asked + 60))).to.be.greaterThan(8_000);
    expect(decrease.answeredAt).to.equal(decrease.sentAt + 2);
    expect(increase.sentAt).to.be.at.least(decrease.answeredAt!);
  });

  it("never lets the stations' limits add up to more on the way than before or after it", async () => {
    const site = await aSite({ limitW: 15_000, evses: 4, demandW: 2_000 });
    const seconds: { sum: number; pending: boolean }[] = [];
    site.eachSecond(() =>
      seconds.push({
        sum: site.allowedW(),
        pending: Object.values(site.board.sessions).some((live) => live.pending !== null),
      }),
    );
    const cars = [await site.plugIn(1), await site.plugIn(2)];
    await cars[0]!.ask(8_000, site.in(HOUR));
    await site.minutes(7);
    cars.push(await site.plugIn(3));
    await cars[2]!.ask(3_000, site.in(35 * MINUTE));
    await site.minutes(9);
    cars.push(await site.plugIn(4));
    await cars[1]!.unplug();
    await site.minutes(14);
    await cars[3]!.ask(2_000, site.in(50 * MINUTE));
    await site.minutes(40);
    let ways = 0;
    for (let t = 0; t < seconds.length; t++) {
      if (!seconds[t]!.pending) continue;
      const before = seconds[t - 1]?.sum ?? 0;
      let most = 0;
      for (; seconds[t]!.pending; t++) most = Math.max(most, seconds[t]!.sum);
      expect(most, `until second ${t}`).to.be.at.most(Math.max(before, seconds[t]!.sum));
      ways++;
    }
    expect(ways).to.be.greaterThan(5);
  });

  it("leaves the applied limit of a station that refuses, and plans with it as a fixed load for two minutes", async () => {
    const { site, first, second } = await urgentNeighbour((site) => {
      site.stage.evses["evse-1"]!.refusals = 1;
    });
    const allowedW = first.allowedW;
    await site.seconds(5);
    expect(first.allowedW).to.equal(allowedW);
    expect(limitAt(first.live.applied, site.now())).to.equal(allowedW);
    expect(await site.incidents()).to.deep.equal(["refused-profile"]);
    const { built } = await presentProblem(site.world, site.board, site.now());
    expect(built.cars.map(({ live }) => live.sessionId)).to.deep.equal([second.id]);
    const { durationS, fixedWh } = built.problem.intervals[0]!;
    expect(fixedWh).to.equal(Math.ceil((allowedW * durationS) / 3600));
    // 12 kW less what the first one keeps is below 6 A on three phases: the second one has to wait.
    expect(second.allowedW).to.equal(0);
    await site.minutes(4);
    expect(first.allowedW).to.be.lessThan(3_000);
    expect(second.allowedW).to.be.greaterThan(8_000);
  });

  it("counts a station that does not answer in 10 s with the higher of its two limits", async () => {
    const { site, first } = await urgentNeighbour((site) => void site.unreachable.add("evse-1"));
    const allowedW = first.allowedW;
    await site.seconds(12);
    const sent = (await first.profiles()).at(-1)!;
    expect(sent).to.include({ state: "timed-out", answeredAt: sent.sentAt + 10 });
    expect(limitAt(first.live.applied, site.now())).to.equal(allowedW);
    expect(await site.incidents()).to.deep.equal(["silent-station"]);
  });

  it("counts an increase that was not answered as if the station had taken it", async () => {
    const site = await aSite({ limitW: 12_000 });
    const car = await site.plugIn(1);
    site.unreachable.add("evse-1");
    await site.seconds(12);
    expect(car.allowedW).to.equal(0);
    expect(limitAt(car.live.applied, site.now())).to.be.greaterThan(11_000);
  });

  it("notes an answer that comes after the time-out and changes no limit", async () => {
    const { site, first } = await urgentNeighbour((site) => void site.unreachable.add("evse-1"));
    await site.seconds(12);
    const before = structuredClone(first.live);
    const sent = (await first.profiles()).at(-1)!;
    const late = await answerProfile(site.world, { profileId: sent.id, state: "applied", at: site.now() });
    expect(late).to.deep.equal({ kind: "noted" });
    expect(first.live).to.deep.equal(before);
  });

  it("refuses the answer to a profile that nobody sent, and names it", async () => {
    const site = await aSite();
    const answer = await answerProfile(site.world, { profileId: "s9#1", state: "applied", at: site.now() });
    expect(answer).to.include({ kind: "refused", reason: "unknown-profile" });
    expect((answer as { text: string }).text).to.contain("s9#1");
  });

  it("ends every plan's profile in 0 W, so that silence never means full power", async () => {
    const { site, first, second } = await urgentNeighbour();
    await site.minutes(60);
    const profiles = [...(await first.profiles()), ...(await second.profiles())];
    expect(profiles.length).to.be.greaterThan(8);
    for (const { profile, sentAt } of profiles) {
      expect(profile.at(-1)!.limitW).to.equal(0);
      expect(profile[0]!.from).to.equal(sentAt);
      const froms = profile.map((period) => period.from as number);
      expect(froms).to.deep.equal([...new Set(froms)].sort((a, b) => a - b));
    }
  });
});

describe("Two profiles agree", () => {
  const at = (seconds: number) => epochSecond(T0 + seconds);
  const profile = (...periods: [number, number][]) =>
    periods.map(([from, limitW]) => ({ from: at(from), limitW: watt(limitW) }));

  it("when every limit of the next 30 minutes is the same, however it is written", () => {
    expect(agree(profile([0, 5], [600, 7]), profile([0, 5], [300, 5], [600, 7], [1800, 9]), at(0))).to.equal(true);
    expect(agree(profile([0, 5], [600, 7]), profile([0, 5], [600, 7], [1799, 9]), at(0))).to.equal(false);
  });

  it("whatever they said about the past", () => {
    expect(agree(profile([0, 5], [600, 7]), profile([0, 6], [600, 7]), at(600))).to.equal(true);
    expect(agree(profile([0, 5], [600, 7]), profile([0, 6], [600, 7]), at(599))).to.equal(false);
  });
});
