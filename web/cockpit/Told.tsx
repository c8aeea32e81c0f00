/** An incident: what kind, when, and the service's own sentence with names and figures. */
import { InEnglish } from "../parts/Words.tsx";
import { useTexts } from "../texts/index.tsx";
import type { GroupPicture } from "../types.ts";

export function Told({ incident: { at, kind, text } }: { readonly incident: GroupPicture["incidents"][number] }) {
  const { t, f } = useTexts();
  return (
    <li>
      <strong>{t.cockpit.kinds[kind]}</strong> <span className="soft">{f.when(at)}</span>
      <br />
      <InEnglish>{text}</InEnglish>
    </li>
  );
}
