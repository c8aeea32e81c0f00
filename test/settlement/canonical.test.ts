import { expect } from "chai";
import fc from "fast-check";
import { type Canonical, canonical, canonicalBytes } from "../../backend/settlement/canonical.ts";

describe("Canonical JSON", () => {
  it("sorts keys, leaves no space, and writes money as decimal strings", () => {
    const value = { b: [1, -2, true, null], a: { z: "ü\n", y: 12_345_678_901_234_567_890n } };
    expect(canonical(value)).to.equal('{"a":{"y":"12345678901234567890","z":"ü\\n"},"b":[1,-2,true,null]}');
  });

  it("sorts by UTF-16 code units, as RFC 8785 does in its own example", () => {
    const value = { "€": 1, "\r": 2, "\ufb33": 3, "1": 4, "😀": 5, "\u0080": 6, ö: 7 };
    const order = ["\r", "1", "\u0080", "ö", "€", "😀", "\ufb33"].map((key) =>
      canonical(value).indexOf(`${JSON.stringify(key)}:`),
    );
    expect(order).to.deep.equal(order.toSorted((a, b) => a - b));
    expect(Math.min(...order)).to.be.above(0);
  });

  it("is UTF-8 as bytes", () => {
    expect([...canonicalBytes({ a: "ü" })]).to.deep.equal([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xc3, 0xbc, 0x22, 0x7d]);
  });

  it("refuses what has no one text, and names the place", () => {
    const lone = String.fromCharCode(0xd800);
    expect(() => canonical({ a: [0, 0.5] })).to.throw(/^\$\.a\[1\] is 0\.5/);
    expect(() => canonical({ a: 2 ** 53 })).to.throw(/\$\.a/);
    expect(() => canonical({ a: Number.NaN })).to.throw(/\$\.a/);
    expect(() => canonical({ a: undefined } as unknown as Canonical)).to.throw(/\$\.a is undefined/);
    expect(() => canonical({ a: lone })).to.throw(/lone surrogate/);
    expect(() => canonical({ [lone]: 1 })).to.throw(/lone surrogate/);
    expect(canonical(-0)).to.equal("0");
  });

  it("has one text per value: what JSON reads back gives the same text, whatever the order of keys", () => {
    const whole = fc.maxSafeInteger();
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        whole,
        fc.string({ unit: "grapheme" }),
        fc.boolean(),
        fc.constant(null),
        tie("list"),
        tie("record"),
      ),
      list: fc.array(tie("value")),
      record: fc.dictionary(fc.string(), tie("value"), { noNullPrototype: true }),
    })).value as fc.Arbitrary<Canonical>;
    const reversed = (value: Canonical): Canonical => {
      if (Array.isArray(value)) return value.map(reversed);
      if (typeof value !== "object" || value === null) return value;
      const pairs = Object.entries(value as { [key: string]: Canonical });
      return Object.fromEntries(pairs.toReversed().map(([key, inner]) => [key, reversed(inner)]));
    };
    fc.assert(
      fc.property(json, (value) => {
        const text = canonical(value);
        expect(canonical(JSON.parse(text))).to.equal(text);
        expect(canonical(reversed(value))).to.equal(text);
      }),
    );
  });
});
