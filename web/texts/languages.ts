/** The languages that the pages speak. */
import { de } from "./de.ts";
import { en } from "./en.ts";

export const LANGUAGES = { en, de } as const;
export type Language = keyof typeof LANGUAGES;
