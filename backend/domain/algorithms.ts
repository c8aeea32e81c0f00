/** How a CPO wants the power of a group to be shared out; what each does is in optimisation/README.md. */

export const ALGORITHM_NAMES = [
  "least-cost",
  "linear-program",
  "proportional-flexibility",
  "equal-share",
  "first-come",
  "uncontrolled",
] as const;

export type AlgorithmName = (typeof ALGORITHM_NAMES)[number];

/** What a plan may have been made by; `least-laxity` is the fallback of all algorithms and nobody's choice. */
export const METHOD_NAMES = [...ALGORITHM_NAMES, "least-laxity"] as const;

export type MethodName = (typeof METHOD_NAMES)[number];

/** Parameters by name, whole numbers with their unit in the name; those left out have the algorithm's default. */
export type AlgorithmChoice = {
  readonly name: AlgorithmName;
  readonly parameters: Readonly<Record<string, number>>;
};

/** What runs where nobody has chosen. */
export const DEFAULT_ALGORITHM: AlgorithmChoice = { name: "least-cost", parameters: {} };
