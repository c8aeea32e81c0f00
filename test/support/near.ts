/** For `expect(x).to.satisfy(near(y, d))`: chai's closeTo takes whole numbers only once Hardhat's matchers are loaded beside it. */
export const near = (expected: number, delta: number) => (value: number) => Math.abs(value - expected) <= delta;
