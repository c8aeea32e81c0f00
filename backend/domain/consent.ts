/** What a driver agrees to; the hash of it, salted, stands on chain. A new text is a new version. */
export const CONSENT =
  "Oli Move consent 1: Oli Move may plan and meter my charging sessions, bill them on chain under a random address, " +
  "and keep the records that the bills rest on.";
