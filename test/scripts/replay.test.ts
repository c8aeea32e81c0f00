import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { SAMPLE } from "../support/replays.ts";

const script = fileURLToPath(new URL("../../scripts/replay.ts", import.meta.url));
const replay = (...args: string[]) => spawnSync(process.execPath, [script, "--scenario", SAMPLE, ...args]);

describe("npm run replay", () => {
  const wrong: [string[], RegExp][] = [
    [
      ["--algorithm", "cheapest"],
      /^There is no algorithm "cheapest"\. Known algorithms: least-cost, .*uncontrolled\.$/,
    ],
    [
      ["--algorithm", "equal-share", "--parameter", "speed=1"],
      /^equal-share has no parameter "speed"\. It has: protect/,
    ],
    [
      ["--algorithm", "equal-share", "--parameter", "protectPromises"],
      /^protectPromises of equal-share is a whole number/,
    ],
    [["--parameter", "automaticEarly=7"], /^automaticEarly of least-cost is from 0 to 1 \(0 or 1\); 7 is outside\.$/],
  ];
  for (const [args, says] of wrong)
    it(`says in one line what is wrong with ${args.join(" ")}`, () => {
      const { status, stderr, stdout } = replay(...args);
      expect(status).to.equal(2);
      expect(stderr.toString().trimEnd()).to.match(says).and.not.include("\n");
      expect(stdout.toString()).to.equal("");
    });
});
