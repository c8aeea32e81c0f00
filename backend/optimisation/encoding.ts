/**
 * The bytes that a run commits to, exactly as the on-chain checker reads them (big-endian, README.md "Bytes"):
 * p = header 64 + 20 per car + 26 per interval; x = u24 Wh per car and interval of its stay; y, w = i64 each.
 * One problem has one encoding: lengths are exact, cars ascend strictly, reserved bytes are 0.
 */
import { epochSecond, microEurPerKwh, second, watt, wattHour } from "../domain/units.ts";
import type { Car, GroupProblem, Interval, Plan } from "./problem.ts";

const VERSION = 1;
const HEADER = 64;
const PER_CAR = 20;
const PER_INTERVAL = 26;
export const SALT_BYTES = 32;

/** p. Throws a RangeError that names the field when a value does not fit its width or an order is broken. */
export function encodeProblem(problem: GroupProblem, salt: Uint8Array): Uint8Array {
  if (salt.length !== SALT_BYTES) throw new RangeError(`The salt has ${salt.length} bytes; it needs ${SALT_BYTES}.`);
  const { cars, intervals, weights } = problem;
  const out = new Writer(HEADER + PER_CAR * cars.length + PER_INTERVAL * intervals.length);
  out.bytes(salt);
  out.unsigned("version", VERSION, 1);
  out.unsigned("group", problem.group, 4);
  out.unsigned("slot", problem.slot, 4);
  out.unsigned("at", problem.at, 5);
  out.unsigned("number of cars", cars.length, 2);
  out.unsigned("number of intervals", intervals.length, 2);
  out.unsigned("weights.scale", weights.scale, 2);
  out.unsigned("weights.early", weights.early, 4);
  out.unsigned("weights.voll", weights.voll, 4);
  out.unsigned("weights.extra", weights.extra, 4);
  let before = -1;
  for (const car of cars) {
    const name = `session ${car.session}`;
    inOrder(car, before, intervals.length);
    before = car.session;
    out.unsigned(`${name}: session`, car.session, 4);
    out.unsigned(`${name}: row`, car.row, 2);
    out.unsigned(`${name}: feeder`, 0, 1);
    out.unsigned(`${name}: needWh`, car.needWh, 3);
    out.unsigned(`${name}: moreWh`, car.moreWh, 3);
    out.unsigned(`${name}: powerW`, car.powerW, 3);
    out.unsigned(`${name}: from`, car.from, 2);
    out.unsigned(`${name}: to`, car.to, 2);
  }
  for (const [t, interval] of intervals.entries()) {
    const name = `interval ${t}`;
    out.unsigned(`${name}: durationS`, interval.durationS, 2);
    out.unsigned(`${name}: limitWh`, interval.limitWh, 4);
    out.unsigned(`${name}: demandWh`, interval.demandWh, 4);
    out.unsigned(`${name}: productionWh`, interval.productionWh, 4);
    out.unsigned(`${name}: fixedWh`, interval.fixedWh, 4);
    out.signed32(`${name}: feedIn`, interval.feedIn);
    out.signed32(`${name}: price`, interval.price);
  }
  return out.done();
}

/** The problem and salt in p. `minPowerW` is no part of the bytes and comes back as 0. Throws a RangeError. */
export function decodeProblem(p: Uint8Array): { readonly problem: GroupProblem; readonly salt: Uint8Array } {
  const read = new Reader(p);
  const salt = read.bytes(SALT_BYTES);
  const version = read.unsigned(1);
  if (version !== VERSION) throw new RangeError(`The problem has version ${version}; this reader knows ${VERSION}.`);
  const [group, slot, at] = [read.unsigned(4), read.unsigned(4), epochSecond(read.unsigned(5))];
  const [n, m] = [read.unsigned(2), read.unsigned(2)];
  const length = HEADER + PER_CAR * n + PER_INTERVAL * m;
  if (p.length !== length) throw new RangeError(`${n} cars x ${m} intervals need ${length} bytes, not ${p.length}.`);
  const weights = {
    scale: read.unsigned(2),
    early: read.unsigned(4),
    voll: read.unsigned(4),
    extra: read.unsigned(4),
  };
  const cars: Car[] = [];
  for (let i = 0; i < n; i++) {
    const [session, row, feeder] = [read.unsigned(4), read.unsigned(2), read.unsigned(1)];
    if (feeder !== 0) throw new RangeError(`session ${session}: feeder ${feeder} is reserved and must be 0.`);
    const [needWh, moreWh] = [wattHour(read.unsigned(3)), wattHour(read.unsigned(3))];
    const powerW = watt(read.unsigned(3));
    const [from, to] = [read.unsigned(2), read.unsigned(2)];
    const car = { session, row, needWh, moreWh, powerW, minPowerW: watt(0), from, to };
    inOrder(car, cars.at(-1)?.session ?? -1, m);
    cars.push(car);
  }
  const intervals = Array.from(
    { length: m },
    (): Interval => ({
      durationS: second(read.unsigned(2)),
      limitWh: wattHour(read.unsigned(4)),
      demandWh: wattHour(read.unsigned(4)),
      productionWh: wattHour(read.unsigned(4)),
      fixedWh: wattHour(read.unsigned(4)),
      feedIn: microEurPerKwh(read.signed32()),
      price: microEurPerKwh(read.signed32()),
    }),
  );
  return { problem: { group, slot, at, weights, cars, intervals }, salt };
}

/** x: the Wh of each stay, car after car. */
export function encodeX(problem: GroupProblem, plan: Pick<Plan, "energyWh">): Uint8Array {
  const count = problem.cars.reduce((sum, car) => sum + car.to - car.from, 0);
  const out = new Writer(3 * count);
  for (const [i, car] of problem.cars.entries()) {
    const stay = plan.energyWh[i] ?? [];
    if (stay.length !== car.to - car.from)
      throw new RangeError(`session ${car.session}: ${stay.length} energies for a stay of ${car.to - car.from}.`);
    for (const [k, wh] of stay.entries()) out.unsigned(`session ${car.session}, interval ${car.from + k}: Wh`, wh, 3);
  }
  return out.done();
}

export function decodeX(problem: GroupProblem, x: Uint8Array): number[][] {
  const count = problem.cars.reduce((sum, car) => sum + car.to - car.from, 0);
  if (x.length !== 3 * count) throw new RangeError(`x has ${x.length} bytes; these stays need ${3 * count}.`);
  const read = new Reader(x);
  return problem.cars.map((car) => Array.from({ length: car.to - car.from }, () => read.unsigned(3)));
}

/** y: one i64 per car; w: one i64 per interval. A plan without a certificate has neither: empty bytes. */
export const encodeY = (plan: Pick<Plan, "certificate">) => encodeSigned64("y", plan.certificate?.y ?? []);
export const encodeW = (plan: Pick<Plan, "certificate">) => encodeSigned64("w", plan.certificate?.w ?? []);

/** Reads y or w. */
export function decodeSigned64(bytes: Uint8Array): bigint[] {
  if (bytes.length % 8 !== 0) throw new RangeError(`${bytes.length} bytes are no whole number of i64.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 8 }, (_, k) => view.getBigInt64(8 * k));
}

function encodeSigned64(name: string, values: readonly bigint[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 * values.length));
  for (const [k, value] of values.entries()) {
    if (value !== BigInt.asIntN(64, value)) throw new RangeError(`${name}[${k}] ${value} does not fit i64.`);
    view.setBigInt64(8 * k, value);
  }
  return new Uint8Array(view.buffer);
}

function inOrder(car: Car, before: number, intervalCount: number): void {
  const { session, from, to } = car;
  if (session <= before) throw new RangeError(`session ${session} follows ${before}: cars must ascend by session.`);
  if (from >= to || to > intervalCount)
    throw new RangeError(`session ${session}: stay [${from}, ${to}) is empty or outside ${intervalCount} intervals.`);
}

/** Fills bytes from left to right. */
class Writer {
  private readonly view: DataView;
  private offset = 0;

  constructor(length: number) {
    this.view = new DataView(new ArrayBuffer(length));
  }

  bytes(value: Uint8Array): void {
    new Uint8Array(this.view.buffer).set(value, this.offset);
    this.offset += value.length;
  }

  unsigned(field: string, value: number, width: number): void {
    const limit = 256 ** width;
    if (!Number.isSafeInteger(value) || value < 0 || value >= limit)
      throw new RangeError(`${field} is ${value}; it must be a whole number from 0 to ${limit - 1}.`);
    let rest = value;
    for (let k = this.offset + width - 1; k >= this.offset; k--) {
      this.view.setUint8(k, rest % 256);
      rest = Math.floor(rest / 256);
    }
    this.offset += width;
  }

  signed32(field: string, value: number): void {
    if (!Number.isSafeInteger(value) || value < -(2 ** 31) || value >= 2 ** 31)
      throw new RangeError(`${field} is ${value}; it must be a whole number from ${-(2 ** 31)} to ${2 ** 31 - 1}.`);
    this.view.setInt32(this.offset, value);
    this.offset += 4;
  }

  done(): Uint8Array {
    return new Uint8Array(this.view.buffer);
  }
}

/** Reads bytes from left to right; a RangeError when they end too early. */
class Reader {
  private readonly view: DataView;
  private offset = 0;

  constructor(bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.unsigned(1));
  }

  unsigned(width: number): number {
    let value = 0;
    for (let k = 0; k < width; k++) value = value * 256 + this.view.getUint8(this.offset++);
    return value;
  }

  signed32(): number {
    this.offset += 4;
    return this.view.getInt32(this.offset - 4);
  }
}
