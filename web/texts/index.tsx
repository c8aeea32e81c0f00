/** The chosen language, and with it the words and the format of quantities; remembered on the device. */
import { createContext, type ReactNode, use, useEffect, useMemo, useState } from "react";
import { type Format, formatIn } from "../format.ts";
import type { Texts } from "./en.ts";
import { LANGUAGES, type Language } from "./languages.ts";

type Spoken = { readonly language: Language; readonly t: Texts; readonly f: Format; choose(language: Language): void };
const Context = createContext<Spoken | null>(null);

const KEY = "oli-move.language";
const isLanguage = (text: string | null | undefined): text is Language => text === "en" || text === "de";
const first = (): Language => {
  const kept = localStorage.getItem(KEY);
  if (isLanguage(kept)) return kept;
  const wanted = navigator.languages.map((one) => one.slice(0, 2)).find(isLanguage);
  return wanted ?? "en";
};

export function Spoken({ children }: { readonly children: ReactNode }) {
  const [language, setLanguage] = useState<Language>(first);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const value = useMemo(
    () => ({
      language,
      t: LANGUAGES[language],
      f: formatIn(language),
      choose(next: Language) {
        localStorage.setItem(KEY, next);
        setLanguage(next);
      },
    }),
    [language],
  );
  return <Context value={value}>{children}</Context>;
}

export function useTexts(): Spoken {
  const spoken = use(Context);
  if (!spoken) throw new Error("Pages stand inside <Spoken>.");
  return spoken;
}
