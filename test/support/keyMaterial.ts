/** Looks for keys in whatever the service says or keeps, in every form in which a program might have written them. */
import { computeAddress, SigningKey } from "ethers";

export type Secret = { readonly name: string; readonly bytes: Uint8Array };

/** Forms of the bytes in lower case: hex, base64 and its variant for addresses, lists of numbers, a decimal number. */
export function formsOf(bytes: Uint8Array): readonly string[] {
  const buffer = Buffer.from(bytes);
  const hex = buffer.toString("hex");
  const list = [...buffer];
  return [
    hex,
    hex.match(/../g)!.join(" "),
    hex.match(/../g)!.join(":"),
    buffer.toString("base64").replace(/=+$/, ""),
    buffer.toString("base64url"),
    list.join(","),
    list.join(", "),
    BigInt(`0x${hex}`).toString(),
  ].map((form) => form.toLowerCase());
}

/** Every half of a key is looked for too: a shortened key is still worth something. */
const partsOf = ({ bytes }: Secret) => [bytes.subarray(0, 16), bytes.subarray(16), bytes];

/** Which secrets stand in the text. */
export function secretsIn(text: string, secrets: readonly Secret[]): readonly string[] {
  const searched = text.toLowerCase();
  return secrets
    .filter((secret) => partsOf(secret).some((part) => formsOf(part).some((form) => searched.includes(form))))
    .map(({ name }) => name);
}

export const addressOf = (key: Uint8Array) => computeAddress(new SigningKey(key));
