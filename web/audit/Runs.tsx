/** The runs of each group: whether none is missing, what each commanded, and its certificate judged on the spot. */
import { useState } from "react";
import { slotStart } from "../../backend/domain/slots.ts";
import { Field } from "../parts/Field.tsx";
import { Scroll } from "../parts/Scroll.tsx";
import { InEnglish } from "../parts/Words.tsx";
import { useTexts } from "../texts/index.tsx";
import { bytesFrom, type Verdict as Judged, judge } from "./certificate.ts";
import type { Opened, Run } from "./chain.ts";
import { Read, type ShowTx, Tx, Verdict } from "./parts.tsx";

const SHOWN = 24;
const time = (slot: number) => new Date(slotStart(slot) * 1000);

export function Runs({ opened, show }: { readonly opened: Opened; readonly show: ShowTx }) {
  const { t } = useTexts();
  return (
    <section className="card" aria-labelledby="runs">
      <h2 id="runs">{t.audit.runs}</h2>
      <p className="soft">{t.audit.runsLead}</p>
      <Read
        name={`runs ${opened.manifest.chainId}`}
        what={async () => {
          const groups = [...Map.groupBy(await opened.runs(), ({ group }) => group)].sort(([a], [b]) => a - b);
          return Promise.all(
            groups.map(async ([group, runs]) => ({ group, runs, complete: await opened.isComplete(group, runs) })),
          );
        }}
      >
        {(groups) =>
          groups.length === 0 ? (
            <p className="soft">{t.audit.noRuns}</p>
          ) : (
            groups.map((one) => <GroupRuns key={one.group} {...one} opened={opened} show={show} />)
          )
        }
      </Read>
    </section>
  );
}

type Props = {
  readonly group: number;
  readonly runs: readonly Run[];
  readonly complete: boolean;
  readonly opened: Opened;
  readonly show: ShowTx;
};

function GroupRuns({ group, runs, complete, opened, show }: Props) {
  const { t, f } = useTexts();
  const [key, setKey] = useState("");
  const latest = runs.slice(-SHOWN).reverse();
  return (
    <details open>
      <summary>
        {t.cockpit.group} {group}: {t.audit.recorded(runs.length)}{" "}
        <Verdict good={complete}>{complete ? t.audit.complete : t.audit.incomplete}</Verdict>
      </summary>
      <Field
        label={t.audit.key}
        hint={t.audit.keyHint}
        type="password"
        autoComplete="off"
        value={key}
        onChange={({ target }) => setKey(target.value.trim())}
      />
      <Scroll label={t.audit.runs}>
        <table>
          <caption>{runs.length > SHOWN ? t.past.latest(SHOWN, runs.length) : null}</caption>
          <thead>
            <tr>
              <th scope="col">{t.audit.slot}</th>
              <th scope="col" className="number">
                {t.audit.allowedSum}
              </th>
              <th scope="col" className="number">
                {t.audit.measuredSum}
              </th>
              <th scope="col">{t.audit.transaction}</th>
              <th scope="col">{t.audit.certificate}</th>
            </tr>
          </thead>
          <tbody>
            {latest.map((run) => {
              const rows = opened.rowsOf(run);
              const sum = (of: (row: (typeof rows)[number]) => number) =>
                rows.length === 0 ? "–" : f.kw(rows.reduce((all, row) => all + of(row), 0));
              return (
                <tr key={run.slot}>
                  <td>{f.when(time(run.slot))}</td>
                  <td className="number">{sum(({ limitW }) => limitW)}</td>
                  <td className="number">{sum(({ powerW }) => powerW)}</td>
                  <td>
                    <Tx hash={run.tx} show={show} />
                  </td>
                  <td>
                    <Certificate opened={opened} run={run} bytesKey={key} />
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
    </details>
  );
}

function Certificate({
  opened,
  run,
  bytesKey,
}: {
  readonly opened: Opened;
  readonly run: Run;
  readonly bytesKey: string;
}) {
  const { t, f } = useTexts();
  const [said, setSaid] = useState<Judged | string | null>(null);
  const ask = () => {
    judge(opened, run, bytesFrom(bytesKey)).then(setSaid, (error: Error) => setSaid(error.message));
  };
  if (said === null)
    return (
      <button type="button" className="small" onClick={ask} disabled={bytesKey === ""}>
        {t.audit.judge}
      </button>
    );
  if (typeof said === "string")
    return (
      <Verdict good={false}>
        <InEnglish>{said}</InEnglish>
      </Verdict>
    );
  switch (said.kind) {
    case "optimal":
      return <Verdict good>{t.audit.optimal}</Verdict>;
    case "feasible":
      return <Verdict good>{said.gap === null ? t.audit.feasible : t.audit.gap(f.count(Number(said.gap)))}</Verdict>;
    case "broken":
      return <Verdict good={false}>{t.audit.broken(said.rule, said.at)}</Verdict>;
    case "differs":
      return <Verdict good={false}>{t.audit.differs(said.what)}</Verdict>;
  }
}
