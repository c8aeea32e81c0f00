/** Light, dark, or as the device says; remembered on the device. */
import { useEffect, useState, useSyncExternalStore } from "react";

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];
const KEY = "oli-move.theme";

const kept = (): Theme => THEMES.find((one) => one === localStorage.getItem(KEY)) ?? "auto";

export function showTheme(theme: Theme): void {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
showTheme(kept());

const dark = matchMedia("(prefers-color-scheme: dark)");

/** The theme in force; what is painted rather than styled is painted again when it changes. */
export function useColours(): "light" | "dark" {
  return useSyncExternalStore(watchColours, () => {
    const chosen = document.documentElement.dataset.theme;
    return chosen === "light" || chosen === "dark" ? chosen : dark.matches ? "dark" : "light";
  });
}

function watchColours(changed: () => void) {
  const chosen = new MutationObserver(changed);
  chosen.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  dark.addEventListener("change", changed);
  return () => {
    chosen.disconnect();
    dark.removeEventListener("change", changed);
  };
}

export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(kept);
  useEffect(() => {
    showTheme(theme);
    localStorage.setItem(KEY, theme);
  }, [theme]);
  return [theme, setTheme];
}
