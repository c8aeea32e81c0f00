/** Priority requests that run: who asked for full power, until when, and how much is granted. */
import { Writers } from "../account.tsx";
import { useTexts } from "../texts/index.tsx";
import type { GroupPicture } from "../types.ts";
import type { Boost } from "./Points.tsx";

export function Boosts({ picture, boosting }: { readonly picture: GroupPicture; readonly boosting: Boost }) {
  const { t, f } = useTexts();
  const running = picture.rows.filter(({ boost }) => boost);
  return (
    <section className="card">
      <div className="row spread">
        <h2>{t.boosts.title}</h2>
        <span className="chip">{running.length}</span>
      </div>
      {running.length === 0 ? (
        <p className="soft">{t.boosts.none}</p>
      ) : (
        <ul className="stack">
          {running.map(({ evseId, sessionId, boost }) => (
            <li key={evseId} className="row spread">
              <span>
                <strong>{evseId}</strong> · {boost && t.session.boosting(f.when(boost.until))}
                <br />
                <span className="soft">
                  {boost &&
                    `${t.boosts.granted(f.kw(boost.limitW))}, ${t.boosts.by(t.boosts.who[boost.askedBy], f.when(boost.askedAt))}`}
                </span>
              </span>
              <Writers>
                <button
                  type="button"
                  aria-label={t.boosts.endOf(evseId)}
                  onClick={() => sessionId !== null && void boosting.run(sessionId, false)}
                >
                  {t.boosts.end}
                </button>
              </Writers>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
