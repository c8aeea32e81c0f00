import { expect } from "chai";
import { epochSecond, microEurPerKwh, watt } from "../../../backend/domain/units.ts";
import { addSite, aGroup, anEvse, at, onEveryDatabase, rejection } from "./everyDatabase.ts";

onEveryDatabase("Sites", (given) => {
  before(() => addSite(given().store));

  it("numbers CPOs and groups from 1 in the order of adding", async () => {
    const { sites } = given().store;
    const cpo = await sites.addCpo({ id: "second", name: "Second" });
    const group = await sites.addGroup(aGroup("north"));
    expect(cpo).to.deep.equal({ id: "second", name: "Second", number: 2 });
    expect(group).to.deep.equal({ ...aGroup("north"), number: 2 });
    expect((await sites.cpos()).map(({ id, number }) => [id, number])).to.deep.equal([
      ["cpo", 1],
      ["second", 2],
    ]);
    expect((await sites.groups()).map(({ id, number }) => [id, number])).to.deep.equal([
      ["group", 1],
      ["north", 2],
    ]);
    expect(await sites.group("north")).to.deep.equal(group);
    expect(await sites.group("south")).to.equal(null);
  });

  it("leaves what is there as it is, and takes no number for it", async () => {
    const { sites } = given().store;
    expect(await sites.addCpo({ id: "cpo", name: "Another name" })).to.deep.equal({
      id: "cpo",
      number: 1,
      name: "Garage operator",
    });
    const place = { id: "place", cpoId: "cpo", name: "Garage", timeZone: "Europe/Oslo" };
    expect(await sites.addLocation({ ...place, name: "Renamed" })).to.deep.equal(place);
    expect((await sites.addEvse({ ...anEvse("evse-2", "group"), maxPowerW: watt(1) })).maxPowerW).to.equal(22_000);
    await sites.addGroup({ ...aGroup("group"), supplyLimitW: watt(1) });
    expect((await sites.group("group"))?.supplyLimitW).to.equal(40_000);
    expect((await sites.addCpo({ id: "third", name: "Third" })).number).to.equal(3);
  });

  it("gives EVSEs and PV of a group one list of rows from 0", async () => {
    const { sites } = given().store;
    await sites.addGroup(aGroup("mixed"));
    const first = await sites.addEvse(anEvse("mixed-1", "mixed"));
    const roof = await sites.addPv({ id: "roof", groupId: "mixed", ratedPowerW: watt(9_800) });
    const second = await sites.addEvse(anEvse("mixed-2", "mixed"));
    expect([first.row, roof.row, second.row]).to.deep.equal([0, 1, 2]);
    expect(await sites.evses("mixed")).to.deep.equal([first, second]);
    expect(await sites.pvs("mixed")).to.deep.equal([{ id: "roof", groupId: "mixed", row: 1, ratedPowerW: 9_800 }]);
    expect((await sites.evses("group")).map((evse) => evse.row)).to.deep.equal([0, 1, 2]);
    expect(await sites.addPv({ id: "roof", groupId: "mixed", ratedPowerW: watt(1) })).to.deep.equal(roof);
  });

  it("changes an EVSE's status, and refuses one that it does not know", async () => {
    const { sites } = given().store;
    await sites.setEvseStatus("evse-1", "OUTOFORDER");
    expect(await sites.evse("evse-1")).to.deep.equal({ ...anEvse("evse-1", "group"), row: 0, status: "OUTOFORDER" });
    expect(await sites.evse("nowhere")).to.equal(null);
    expect((await rejection(sites.setEvseStatus("nowhere", "BLOCKED"))).message).to.contain("nowhere");
  });

  it("keeps where an EVSE and a location stand, and forgets it", async () => {
    const { sites } = given().store;
    const coordinates = { latitude: -33.8568123, longitude: 151.2152967 };
    const full = { coordinates, floorLevel: "-2", physicalReference: "B17" };
    await sites.addEvse({ ...anEvse("placed", "group"), place: full });
    expect((await sites.evse("placed"))?.place).to.deep.equal(full);
    const part = { coordinates: null, floorLevel: "0", physicalReference: null };
    await sites.setPlace("placed", part);
    expect((await sites.evse("placed"))?.place).to.deep.equal(part);
    await sites.setPlace("placed", { coordinates: null, floorLevel: null, physicalReference: null });
    expect(await sites.evse("placed")).not.to.have.property("place");
    expect((await rejection(sites.setPlace("nowhere", full))).message).to.contain("nowhere");
    const quay = { id: "quay", cpoId: "cpo", name: "Quay", timeZone: "Australia/Sydney", coordinates };
    expect(await sites.addLocation(quay)).to.deep.equal(quay);
    expect(await sites.locations("cpo")).to.deep.include(quay);
    expect(await sites.locations("second")).to.deep.equal([]);
  });

  it("keeps limits until they end, from whatever instant they began", async () => {
    const { sites } = given().store;
    const limit = { groupId: "group", kind: "order" as const, limitW: 12_000 };
    const open = { ...limit, id: "open", kind: "operator" as const, from: epochSecond(0), until: null };
    const short = { ...limit, id: "short", from: at(100), until: at(200) };
    for (const one of [short, open]) await sites.addLimit(one);
    expect(await sites.limits("group", at(199))).to.deep.equal([open, short]);
    expect(await sites.limits("group", at(200))).to.deep.equal([open]);
    expect(await sites.limits("mixed", at(0))).to.deep.equal([]);
    await sites.addLimit({ ...open, until: at(150) });
    expect(await sites.limits("group", at(149))).to.deep.equal([{ ...open, until: at(150) }, short]);
    expect(await sites.limits("group", at(150))).to.deep.equal([short]);
  });

  it("remembers what a group has run since when, with its parameters", async () => {
    const { sites } = given().store;
    const choice = { name: "proportional-flexibility", parameters: { highFlexibilityW: 7_000 } } as const;
    await sites.setAlgorithm("group", choice, at(60));
    expect((await sites.group("group"))?.algorithm).to.deep.equal(choice);
    expect(await sites.algorithms("group")).to.deep.equal([
      { from: 0, choice: { name: "least-cost", parameters: {} } },
      { from: at(60), choice },
    ]);
    expect(await rejection(sites.setAlgorithm("nowhere", choice, at(61)))).to.match(/nowhere is not known/);
  });

  it("finds the tariff that a CPO added last", async () => {
    const { sites } = given().store;
    const cheap = await sites.addTariff({ id: "cheap", cpoId: "cpo", pricePerKwh: microEurPerKwh(-20) });
    await sites.addTariff({ id: "foreign", cpoId: "second", pricePerKwh: microEurPerKwh(1) });
    expect(cheap.number).to.equal(2);
    expect(await sites.currentTariff("cpo")).to.deep.equal(cheap);
    expect((await sites.tariff("tariff"))?.pricePerKwh).to.equal(350_000);
    expect([await sites.tariff("none"), await sites.currentTariff("third")]).to.deep.equal([null, null]);
  });
});
