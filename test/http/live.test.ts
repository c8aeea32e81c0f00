import { expect } from "chai";
import type { FeedTimes } from "../../backend/http/events.ts";
import { iso, NOON, type Service, startService, type Who } from "./service.ts";

type Event = { readonly event: string; readonly data: any };

/** Reads server-sent events and comments one by one. */
async function open(service: Service, path: string, as?: Who) {
  const stop = new AbortController();
  const response = await fetch(service.serving.url + path, { headers: { ...as }, signal: stop.signal });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  async function block(): Promise<string | null> {
    while (!buffer.includes("\n\n")) {
      const { done, value } = await reader.read();
      if (done) return null;
      buffer += value;
    }
    const end = buffer.indexOf("\n\n");
    const text = buffer.slice(0, end);
    buffer = buffer.slice(end + 2);
    return text;
  }
  return {
    response,
    block,
    /** The next event; null when the stream has ended. */
    async event(): Promise<Event | null> {
      for (let text = await block(); text !== null; text = await block()) {
        const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(text) ?? [];
        if (event !== undefined) return { event, data: JSON.parse(data!) };
      }
      return null;
    },
    close: () => stop.abort(),
  };
}

const TIMES: FeedTimes = { heartbeatMs: 20, pauseMs: 5, longestMs: 60_000 };

describe("HTTP: live", () => {
  let service: Service;
  let anna: Who;
  let backEnd: Who;
  let id: string;

  beforeEach(async () => {
    service = await startService({ feedTimes: TIMES });
    anna = await service.signUp("anna");
    backEnd = await service.key("north", "cpo");
    const body = { evseId: "north-1-1", optIn: true, energyNeedWh: 5000, departsAt: iso(NOON + 7200) };
    id = (await service.ask("POST", "/driver/sessions", { as: anna, body })).body.session.id;
  });
  afterEach(() => service?.close());

  const until = async (holds: () => boolean) => {
    for (let tries = 0; !holds(); tries++) {
      if (tries > 5000) throw new Error("It did not happen.");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const report = (registerWh: number) => {
    const readings = [{ sessionId: id, at: iso(service.clock.now()), registerWh, powerW: 4000 }];
    return service.ask("POST", "/machine/meter-values", { as: backEnd, body: { readings } });
  };

  it("tells at once what happens after a quiet time, and what follows no sooner than the pause allows", async () => {
    const hourly = await startService({ feedTimes: { ...TIMES, pauseMs: 3_600_000 } });
    const staff = await hourly.staff("north");
    const hems = await hourly.key("north", "hems");
    const stream = await open(hourly, "/cpo/groups/north-1/events", staff);
    expect((await stream.event())!.data.demandW).to.equal(0);
    const measured = async (buildingW: number) => {
      await hourly.pass(60);
      const readings = [{ at: iso(hourly.clock.now()), buildingW, pvW: 0 }];
      await hourly.ask("POST", "/machine/groups/north-1/readings", { as: hems, body: { readings } });
    };
    await measured(3000);
    expect((await stream.event())!.data.demandW).to.equal(3000);
    await measured(4000);
    const nothing = new Promise((resolve) => setTimeout(resolve, 300, "nothing"));
    expect(await Promise.race([stream.event(), nothing])).to.equal("nothing");
    stream.close();
    await hourly.close();
  });

  it("sends a driver the session at once, and again when a reading comes", async () => {
    const stream = await open(service, `/driver/sessions/${id}/events`, anna);
    expect(stream.response.headers.get("content-type")).to.match(/^text\/event-stream/);
    const first = await stream.event();
    expect(first).to.deep.include({ event: "session" });
    expect(first!.data).to.deep.equal((await service.ask("GET", `/driver/sessions/${id}`, { as: anna })).body);
    await service.pass(60);
    await report(60);
    let next = await stream.event();
    while (next!.data.deliveredWh === 0) next = await stream.event();
    expect(next!.data).to.deep.include({ deliveredWh: 60 });
    stream.close();
  });

  it("sends an operator what a meter, a station, an energy manager and a new plan change", async () => {
    const staff = await service.staff("north");
    const hems = await service.key("north", "hems");
    const stream = await open(service, "/cpo/groups/north-1/events", staff);
    const seen = async (what: string, holds: (picture: any) => boolean) => {
      for (let next = await stream.event(); !holds(next!.data); next = await stream.event())
        expect(next, what).not.to.equal(null);
    };
    const atThePoint = ({ rows }: any) => rows[0].limits;
    await seen("the car", (picture) => picture.rows[0].sessionId === id);
    await service.pass(10);
    await seen("the plan", ({ plan }) => plan !== null);
    await report(1);
    await seen("the reading", (picture) => atThePoint(picture).measuredW === 4000);
    const { profiles } = (await service.ask("GET", "/machine/profiles", { as: backEnd })).body;
    const answer = { state: "applied", at: iso(service.clock.now()) };
    const path = `/machine/profiles/${encodeURIComponent(profiles[0].id)}/answer`;
    expect((await service.ask("POST", path, { as: backEnd, body: answer })).status).to.equal(204);
    await seen("the station's answer", (picture) => atThePoint(picture).appliedW === 11_000);
    const readings = [{ at: iso(service.clock.now()), buildingW: 1234, pvW: 0 }];
    await service.ask("POST", "/machine/groups/north-1/readings", { as: hems, body: { readings } });
    await seen("the building", ({ demandW }) => demandW === 1234);
    stream.close();
  });

  it("lets clients notice a dead line by its missing heartbeat", async () => {
    const stream = await open(service, `/driver/sessions/${id}/events`, anna);
    let text = await stream.block();
    while (text !== null && !text.startsWith(":")) text = await stream.block();
    expect(text).to.equal(": still here");
    stream.close();
  });

  it("forgets a client that has gone", async () => {
    const stream = await open(service, `/driver/sessions/${id}/events`, anna);
    await stream.event();
    expect(service.api.feeds.open()).to.equal(1);
    stream.close();
    await until(() => service.api.feeds.open() === 0);
  });

  it("shows nothing more after signing out", async () => {
    const stream = await open(service, `/driver/sessions/${id}/events`, anna);
    await stream.event();
    expect((await service.ask("POST", "/account/sign-out", { as: anna })).status).to.equal(204);
    await service.pass(60);
    await report(60);
    expect(await stream.event()).to.equal(null);
    expect(service.api.feeds.open()).to.equal(0);
  });

  it("ends streams when the service stops, after the requests in hand", async () => {
    const stream = await open(service, "/live/events");
    await stream.event();
    let release = () => {};
    const inHand = new Promise<void>((arrived) => {
      service.chain.account = async () => {
        arrived();
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        return { availableMicroEur: 7n, flexWh: 0, nonce: 0 };
      };
    });
    const waiting = service.ask("GET", "/driver/balance", { as: anna });
    await inHand;
    const closed = service.serving.close();
    expect(await stream.event()).to.equal(null);
    release();
    expect((await waiting).body).to.include({ availableMicroEur: "7" });
    await closed;
    await fetch(`${service.serving.url}/health`).then(
      () => expect.fail("the port is still open"),
      (error) => expect(error).to.be.instanceOf(TypeError),
    );
  });

  it("shows everybody the demo site, and nobody's identity", async () => {
    const account = (await service.ask("GET", "/account", { as: anna })).body;
    await service.pass(5);
    await service.pass(900);
    const plugOut = { at: iso(service.clock.now()), registerWh: 0 };
    expect((await service.ask("POST", `/machine/sessions/${id}/stop`, { as: backEnd, body: plugOut })).status).to.equal(
      200,
    );
    const other = { sessionId: "second", evseId: "north-1-2", at: iso(service.clock.now()), registerWh: 0 };
    await service.ask("POST", "/machine/sessions", { as: backEnd, body: other });
    const stream = await open(service, "/live/events");
    const live = (await stream.event())!.data;
    stream.close();
    expect(live.groups.map((one: any) => one.groupId)).to.deep.equal(["north-1"]);
    expect(live.groups[0].rows.map((row: any) => row.sessionNumber)).to.deep.equal([null, 2, null]);
    expect(live.groups[0].incidents).not.to.have.length(0);
    expect(live.plans).not.to.have.length(0);
    expect(live.bills.map((bill: any) => bill.sessionNumber)).to.deep.equal([1]);
    expect(live.records).to.have.length(1);
    const text = JSON.stringify(live);
    for (const secret of [id, "second", account.driverId, account.name, account.email, account.address, "south"])
      expect(text).not.to.include(secret);
  });
});
