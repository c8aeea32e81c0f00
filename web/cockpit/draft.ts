/** What an operator types of charge points and PV, and what the API is asked for. */

export type PointsDraft = {
  readonly how: "numbered" | "listed";
  readonly prefix: string;
  readonly first: string;
  readonly count: string;
  /** Ids, one on each line. */
  readonly list: string;
  readonly kw: string;
  readonly phases: "1" | "2" | "3";
  /** Empty: none. */
  readonly pvKw: string;
};

export const NO_POINTS: PointsDraft = {
  ...{ how: "numbered", prefix: "", first: "1", count: "2", list: "", kw: "11", phases: "3", pvKw: "" },
};

const MOST = 1000;

/** The ids that a draft means. Numbers have as many digits as the last one, so that they stand in order. */
export function idsOf({ how, prefix, first, count, list }: PointsDraft): string[] {
  if (how === "listed") {
    const lines = list.split("\n").map((line) => line.trim());
    return [...new Set(lines.filter((line) => line !== ""))];
  }
  if (prefix.trim() === "") return [];
  const [from, n] = [Math.max(0, Math.trunc(Number(first)) || 0), Math.trunc(Number(count)) || 0];
  const last = `${from + n - 1}`;
  const width = Math.max(2, last.length);
  return Array.from({ length: Math.min(n, MOST) }, (_, i) => `${prefix.trim()}${`${from + i}`.padStart(width, "0")}`);
}

/** Whole W from kW as they are typed, with a comma or a point; what is no number is left to the API to refuse. */
export const wattOf = (kw: string) => Math.round(Number(kw.trim().replace(",", ".")) * 1000);

/** Members of a group as POST /cpo/sites takes them. `groupId` and `roofs` name PV that is new. */
export const membersOf = (draft: PointsDraft, groupId: string, roofs: number) => ({
  evses: idsOf(draft).map((id) => ({ id, maxPowerW: wattOf(draft.kw), phases: Number(draft.phases) })),
  pvs: draft.pvKw.trim() === "" ? [] : [{ id: `${groupId} PV ${roofs + 1}`, ratedPowerW: wattOf(draft.pvKw) }],
});
