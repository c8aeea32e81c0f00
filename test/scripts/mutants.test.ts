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
    expect(changes("return a + b;")).to.deep.equal(["return a - b;"]);
    expect(changes("return ready ? a : b;")).to.deep.equal(["return ready ? b : a;"]);
    expect(changes("let a := shl(112, add(b, c))").sort()).to.deep.equal([
      "let a := shl(112, sub(b, c))",
      "let a := shr(112, add(b, c))",
    ]);
    expect(changes('hash("Intent(address owner,uint48 nonce)")')).to.deep.equal([
      'hash("Intent(address owner,int48 nonce)")',
    ]);
  });

  it("make a condition always or never so", () => {
    expect(changes("if (f(a)) return b;").sort()).to.deep.equal(["if (false) return b;", "if (true) return b;"]);
    expect(changes("if iszero(a) {").sort()).to.deep.equal(["if 0 {", "if 1 {"]);
  });

  it("lose an assignment, a call, a count, but no declaration", () => {
    for (const statement of ["x.y[a] = b;", "_take(owner, 3);", "++_account[owner].nonce;"])
      expect(changes(statement)).to.deep.equal(["(removed)"]);
    expect(changes("uint256 x = b;")).to.deep.equal([]);
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
    const source = '// a < b\n/// a + b\nimport {A} from "a < b";\nreturn a + b; // c < d\nreturn 1;';
    const mutants = mutantsOf("A.sol", source);
    expect(mutants).to.have.length(1);
    const { line, source: changed } = mutants[0]!;
    expect(line).to.equal(4);
    expect(changed.split("\n").filter((text, i) => text !== source.split("\n")[i])).to.deep.equal(["return a - b;"]);
  });
});
