/** For `expect(x).to.satisfy(near(y, d))`: chai's closeTo takes whole numbers only once Hardhat's matchers are loaded beside it. */
export function near(expected: number, delta: number) {
  const isNear = (value: number) => Math.abs(value - expected) <= delta;
  // A failure shows the name.
  return Object.defineProperty(isNear, "name", { value: `within ${delta} of ${expected}` });
}
