import { expect } from "chai";
import { wattHour } from "../../../backend/domain/units.ts";
import { addDriver, at, aWallet, onEveryDatabase, rejection } from "./everyDatabase.ts";

onEveryDatabase("Drivers", (given) => {
  it("finds a driver by id and by account, and the sealed wallet beside it", async () => {
    const { drivers } = given().store;
    await addDriver(given().store, "ann", "account-7");
    await addDriver(given().store, "bob");
    const wallet = aWallet("wallet-ann");
    const ann = {
      id: "ann",
      accountId: "account-7",
      name: "Driver ann",
      address: wallet.address,
      consentHash: "0x01",
      registeredAt: at(0),
    };
    expect(await drivers.byId("ann")).to.deep.equal(ann);
    expect(await drivers.byAccount("account-7")).to.deep.equal(ann);
    expect((await drivers.all()).map((driver) => driver.id)).to.deep.equal(["ann", "bob"]);
    expect(await drivers.wallet("ann")).to.deep.equal(wallet);
    expect([await drivers.byId("eve"), await drivers.byAccount("eve"), await drivers.wallet("eve")]).to.deep.equal([
      null,
      null,
      null,
    ]);
  });

  it("adds neither driver nor wallet when one of the two exists", async () => {
    const { drivers } = given().store;
    const before = await drivers.all();
    const wallet = aWallet("fresh");
    await rejection(drivers.add({ ...before[0]!, accountId: null, address: wallet.address }, wallet));
    expect(await drivers.all()).to.deep.equal(before);
    expect(await given().db.selectFrom("wallet").selectAll().where("wallet_id", "=", "fresh").execute()).to.have.length(
      0,
    );
  });

  it("has no wallet to open for a driver whose wrapped key was erased", async () => {
    await addDriver(given().store, "gone");
    await given().db.updateTable("wallet").set({ wrapped_dek: null }).where("wallet_id", "=", "wallet-gone").execute();
    expect(await given().store.drivers.wallet("gone")).to.equal(null);
  });

  it("keeps the latest preferences", async () => {
    const { drivers } = given().store;
    const first = { driverId: "ann", optIn: true, energyNeedWh: wattHour(12_000), stayS: 28_800, batteryWh: null };
    const second = { ...first, targetPercent: 85, optIn: false, energyNeedWh: null, batteryWh: wattHour(64_000) };
    expect(await drivers.preferences("ann")).to.equal(null);
    await drivers.setPreferences(first);
    expect(await drivers.preferences("ann")).to.deep.equal(first);
    await drivers.setPreferences(second);
    expect(await drivers.preferences("ann")).to.deep.equal(second);
  });
});
