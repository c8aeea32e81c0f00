import { expect } from "chai";
import { mutantsOf } from "../../scripts/mutation/mutants.ts";

const changes = (source: string) => mutantsOf("A.sol", source).map(({ after }) => after);

describe("mutants of a contract", () => {
  it("shift a comparison, turn an equation round, lose a sign, swap a choice", () => {
    expect(changes("return a <= b;")).to.deep.equal(["return a < b;"]);
    expect(changes("return a == b && c != d;").sort()).to.deep.equal([
      "return a != b && c != d;",
      "return a == b && c == d;",
      "return a == b || c != d;",
    ]);
    expect(changes("x = a + b;")).to.deep.equal(["x = a - b;"]);
    expect(changes("x = ready ? a : b;")).to.deep.equal(["x = ready ? b : a;"]);
  });

  it("lose a check, an event, a modifier", () => {
    expect(changes("    require(ok, No());")).to.deep.equal(["(removed)"]);
    expect(changes("    emit Done(1);")).to.deep.equal(["(removed)"]);
    expect(changes("function f() external restricted whenNotPaused {").sort()).to.deep.equal([
      "function f() external restricted {",
      "function f() external whenNotPaused {",
    ]);
  });

  it("leave comments alone, change one place at a time and nothing else", () => {
    const source = '// a < b\n/// a + b\nimport {A} from "a < b";\nx = a + b; // c < d\ny = 1;';
    const mutants = mutantsOf("A.sol", source);
    expect(mutants).to.have.length(1);
    const { line, source: changed } = mutants[0]!;
    expect(line).to.equal(4);
    expect(changed.split("\n").filter((text, i) => text !== source.split("\n")[i])).to.deep.equal(["x = a - b;"]);
  });
});
