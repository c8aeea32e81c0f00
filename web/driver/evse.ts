/** A charge point's code: what is printed on it, and where it leads. */

/** The page of a charge point, which is what its code holds behind the service's address. */
export const placeOf = (evseId: string) => `/charge/at/${encodeURIComponent(evseId)}`;

/** A code holds the EVSE's id, or an address of ours that ends in it. */
export function evseOf(text: string): string {
  const [, inAddress] = /\/charge\/at\/([^/?#]+)/.exec(text) ?? [];
  if (inAddress === undefined) return text.trim();
  try {
    return decodeURIComponent(inAddress);
  } catch {
    // Not one of our addresses: a % that stands for itself.
    return inAddress;
  }
}
