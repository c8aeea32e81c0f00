/** The runs of each group: whether none is missing, what each commanded, and its certificate judged on the spot. */
import { useState } from "react";
import { slotStart } from "../../backend/domain/slots.ts";
import { Field } from "../parts/Field.tsx";
import { Table } from "../parts/Table.tsx";
import { InEnglish } from "../parts/Words.tsx";
import { useTexts } from "../texts/index.tsx";
import { bytesFrom, type Verdict as Judged, judge } from "./certificate.ts";
import type { Opened, Run } from "./chain.ts";
import { Read, type ShowTx, Tx, Verdict } from "./parts.tsx";

const SHOWN = 24;
/** AssetRegistry's kind of a charge point. */
const POINT = 1;
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
          const assets = await opened.assets();
          return Promise.all(
            groups.map(async ([group, runs]) => ({
              ...{ group, runs, complete: await opened.isComplete(group, runs) },
              points: new Set(
                assets.filter((one) => one.group === group && one.kind === POINT).map(({ index }) => index),
              ),
            })),
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
  /** Rows of charge points; the others are PV. */
  readonly points: ReadonlySet<number>;
  readonly opened: Opened;
  readonly show: ShowTx;
};

function GroupRuns({ group, runs, complete, points, opened, show }: Props) {
  const { t, f } = useTexts();
  const [key, setKey] = useState("");
  /** W of all charge points in a run. */
  const sum = (run: Run, of: (row: ReturnType<Opened["rowsOf"]>[number]) => number) => {
    const rows = opened.rowsOf(run).filter(({ index }) => points.has(index));
    return rows.length === 0 ? "–" : f.kw(rows.reduce((all, row) => all + of(row), 0));
  };
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
      <Table
        label={t.audit.runs}
        caption={runs.length > SHOWN ? t.past.latest(SHOWN, runs.length) : null}
        rows={runs.slice(-SHOWN).reverse()}
        keyOf={({ slot }) => slot}
        columns={[
          { name: t.audit.slot, cell: ({ slot }) => f.when(time(slot)) },
          { name: t.audit.allowedSum, cell: (run) => sum(run, ({ limitW }) => limitW), isNumber: true },
          { name: t.audit.measuredSum, cell: (run) => sum(run, ({ powerW }) => powerW), isNumber: true },
          { name: t.audit.transaction, cell: ({ tx }) => <Tx hash={tx} show={show} /> },
          { name: t.audit.certificate, cell: (run) => <Certificate opened={opened} run={run} bytesKey={key} /> },
        ]}
      />
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
