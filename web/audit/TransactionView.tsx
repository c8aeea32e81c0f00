/** One transaction as the node has it. */
import { Ask } from "../parts/Ask.tsx";
import { useTexts } from "../texts/index.tsx";
import type { Hex, Opened } from "./chain.ts";
import { Read, Verdict } from "./parts.tsx";

export function TransactionView({
  opened,
  hash,
  close,
}: {
  readonly opened: Opened;
  readonly hash: Hex;
  readonly close: () => void;
}) {
  const { t, f } = useTexts();
  return (
    <Ask title={t.audit.transaction} close={close}>
      <p className="mono">{hash}</p>
      <Read name={hash} what={() => opened.transaction(hash)}>
        {({ block, gas, from, to, succeeded, events }) => (
          <>
            <Verdict good={succeeded}>{succeeded ? t.audit.succeeded : t.audit.reverted}</Verdict>
            <dl className="facts">
              <div>
                <dt>{t.audit.block}</dt>
                <dd>{block}</dd>
              </div>
              <div>
                <dt>Gas</dt>
                <dd>{f.count(gas)}</dd>
              </div>
              <div>
                <dt>{t.audit.sender}</dt>
                <dd className="mono">{from}</dd>
              </div>
              <div>
                <dt>{t.audit.contract}</dt>
                <dd>{to}</dd>
              </div>
            </dl>
            <ul>
              {events.slice(0, 40).map((name, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: events have no other name
                <li key={i} className="mono">
                  {name}
                </li>
              ))}
            </ul>
          </>
        )}
      </Read>
      <button type="button" className="wide" onClick={close}>
        {t.state.close}
      </button>
    </Ask>
  );
}
