/** The codes of a group's charge points, to print and put up. */
import { lazy, Suspense, useState } from "react";
import { useLoaded } from "../api.ts";
import { Loading, Show } from "../parts/states.tsx";
import { useTexts } from "../texts/index.tsx";

/** Drawn only for who asks: the drawing of codes is nobody else's load. */
const Code = lazy(() => import("./Code.tsx"));

export function Codes({ groupId }: { readonly groupId: string }) {
  const { t } = useTexts();
  const [shown, setShown] = useState(false);
  const evses = useLoaded<{ evses: { id: string }[] }>(
    shown ? `/cpo/groups/${encodeURIComponent(groupId)}/evses` : null,
  );
  return (
    <section className="card codes">
      <h2>{t.setup.codes}</h2>
      <p className="soft">{t.setup.codesLead}</p>
      {shown ? (
        <Show what={evses}>
          {({ evses: all }) => (
            <Suspense fallback={<Loading />}>
              <button type="button" onClick={() => window.print()}>
                {t.setup.print}
              </button>
              <ul>
                {all.map(({ id }) => (
                  <Code key={id} evseId={id} />
                ))}
              </ul>
            </Suspense>
          )}
        </Show>
      ) : (
        <button type="button" onClick={() => setShown(true)}>
          {t.setup.codesShow}
        </button>
      )}
    </section>
  );
}
