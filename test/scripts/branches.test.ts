import { expect } from "chai";
import { conditionsOf, marked, markOf } from "../../scripts/mutation/branches.ts";

const FILE = "contracts/A.sol";
const SOURCE = `pragma solidity 0.8.37;
contract A {
    // Umlaute wie ä zählen mehr als ein Byte.
    function f(uint256 a) external pure returns (uint256 b) {
        require(a > 1 && (a < 9 || a == 12), "no");
        if (a == 3) b = a > 2 ? 1 : 2;
        for (uint256 i = 0; i < a; ++i) b += i;
    }
}`;
const conditions = conditionsOf([FILE], () => SOURCE);

describe("branches of a contract", () => {
  it("are the conditions of require, if, choices and loops, and each operand of && and ||", () => {
    expect(conditions.map(({ text }) => text).sort()).to.deep.equal([
      "(a < 9 || a == 12)",
      "a < 9",
      "a == 12",
      "a == 3",
      "a > 1",
      "a > 1 && (a < 9 || a == 12)",
      "a > 2",
      "i < a",
    ]);
    expect(conditions.find(({ text }) => text === "a > 2")?.line).to.equal(6);
  });

  it("are wrapped where they stand, inner ones inside outer ones", () => {
    const plain = marked(FILE, SOURCE, conditions).replace(/BranchCount\.seen\(0x[0-9a-f]{64}, /g, "[");
    expect(plain).to.include('require([[a > 1) && [([a < 9) || [a == 12)))), "no");');
    expect(plain).to.include("if ([a == 3)) b = [a > 2) ? 1 : 2;");
    expect(plain).to.include("ä zählen");
    expect(plain).to.include('import {BranchCount} from "./BranchCount.sol";');
  });

  it("have a mark for false and the next one for true", () => {
    const wrapped = marked(FILE, SOURCE, conditions);
    const marks = conditions.flatMap((_, i) => [markOf(i, false), markOf(i, true)]);
    expect(new Set(marks).size).to.equal(2 * conditions.length);
    for (const [i] of conditions.entries()) expect(wrapped).to.include(`0x${markOf(i, false)}`);
    expect(BigInt(`0x${markOf(3, true)}`) - BigInt(`0x${markOf(3, false)}`)).to.equal(1n);
  });
});
