import { expect } from "chai";
import { createQueueClock } from "../../../backend/adapters/clock/queueClock.ts";
import { epochSecond } from "../../../backend/domain/units.ts";

const T0 = 1_772_438_400;
const at = (seconds: number) => epochSecond(T0 + seconds);
const job = (groupId: string) => ({ kind: "cycle", groupId }) as const;

/** Everything until then, each with the second at which it was taken. */
function taken<E>(clock: ReturnType<typeof createQueueClock<E>>, until: number) {
  const events: [number, unknown][] = [];
  for (let event = clock.next(at(until)); event !== null; event = clock.next(at(until)))
    events.push([clock.now() - T0, event]);
  return events;
}

describe("The queue of a virtual clock", () => {
  it("hands out events by time, and those of one second in the order in which they came", () => {
    const clock = createQueueClock<string>(at(0));
    clock.put(T0 + 20, "c");
    clock.put(T0 + 10, "a");
    clock.put(T0 + 20, "d");
    clock.schedule(at(15), job("g"));
    clock.put(T0 + 10, "b");
    expect(taken(clock, 20)).to.deep.equal([
      [10, "a"],
      [10, "b"],
      [15, { job: job("g") }],
      [20, "c"],
      [20, "d"],
    ]);
  });

  it("moves the time to the event, never beyond what was asked for and never back", () => {
    const clock = createQueueClock<string>(at(0));
    clock.put(T0 + 10, "a");
    clock.put(T0 + 30, "b");
    expect(taken(clock, 29)).to.deep.equal([[10, "a"]]);
    expect(clock.now()).to.equal(T0 + 10);
    clock.moveTo(at(40));
    clock.moveTo(at(35));
    expect(clock.now()).to.equal(T0 + 40);
    // What is late is handed out now.
    expect(taken(clock, 40)).to.deep.equal([[40, "b"]]);
  });

  it("keeps one job of a kind, at the earliest of the times that were asked for", () => {
    const clock = createQueueClock<string>(at(0));
    clock.schedule(at(30), job("g"));
    clock.schedule(at(50), job("g"));
    clock.schedule(at(20), job("g"));
    clock.schedule(at(25), job("other"));
    expect(taken(clock, 60)).to.deep.equal([
      [20, { job: job("g") }],
      [25, { job: job("other") }],
    ]);
    clock.schedule(at(70), job("g"));
    expect(taken(clock, 70)).to.deep.equal([[70, { job: job("g") }]]);
  });

  it("runs a job that should have run before as soon as possible", () => {
    const clock = createQueueClock<string>(at(100));
    clock.schedule(at(50), job("g"));
    expect(taken(clock, 100)).to.deep.equal([[100, { job: job("g") }]]);
  });

  it("takes what is put while events are taken", () => {
    const clock = createQueueClock<string>(at(0));
    clock.put(T0 + 10, "a");
    expect(clock.next(at(60))).to.equal("a");
    clock.put(T0 + 10, "b");
    clock.put(T0 + 60, "c");
    expect(taken(clock, 60)).to.deep.equal([
      [10, "b"],
      [60, "c"],
    ]);
  });

  it("goes on from what was saved as if nothing had happened, also through JSON", () => {
    const run = (interrupted: boolean) => {
      let clock = createQueueClock<string>(at(0));
      clock.put(T0 + 10, "a");
      clock.put(T0 + 20, "b");
      clock.schedule(at(20), job("g"));
      const events = taken(clock, 10);
      if (interrupted) clock = createQueueClock<string>(at(0), JSON.parse(JSON.stringify(clock.save())));
      clock.put(T0 + 20, "c");
      clock.schedule(at(30), job("g"));
      return [...events, ...taken(clock, 60)];
    };
    expect(run(true)).to.deep.equal(run(false));
    expect(run(true)).to.deep.equal([
      [10, "a"],
      [20, "b"],
      [20, { job: job("g") }],
      [20, "c"],
    ]);
  });

  it("leaves what was saved alone while it goes on", () => {
    const clock = createQueueClock<string>(at(0));
    clock.put(T0 + 10, "a");
    const saved = clock.save();
    taken(clock, 10);
    expect(saved.waiting).to.have.length(1);
    createQueueClock<string>(at(0), saved).next(at(10));
    expect(saved.waiting).to.have.length(1);
  });
});

describe("A queue that follows the wall clock", () => {
  it("has the wall's second, rounded down, and hands out what is due by it", () => {
    const clock = createQueueClock<string>(at(0));
    let wallMs = (T0 + 5) * 1000 + 999;
    clock.follow(() => wallMs);
    expect(clock.now()).to.equal(T0 + 5);
    clock.put(T0 + 6, "a");
    expect(clock.next(clock.now())).to.equal(null);
    wallMs++;
    expect(clock.next(clock.now())).to.equal("a");
  });

  it("does not go back when the wall clock is set back", () => {
    const clock = createQueueClock<string>(at(0));
    let wallMs = (T0 + 100) * 1000;
    clock.follow(() => wallMs);
    clock.put(T0 + 90, "a");
    expect(clock.next(clock.now())).to.equal("a");
    wallMs -= 50_000;
    expect(clock.now()).to.be.at.least(T0 + 90);
  });
});
