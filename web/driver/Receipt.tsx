/** The receipt: what it cost, what moving it was worth, and the proof that it is the bill on the chain. */
import { useEffect, useState } from "react";
import { type Receipt as Contents, parseReceipt } from "../../backend/settlement/receipt.ts";
import { worths } from "../../backend/settlement/worth.ts";
import { ask, useAction, useLoaded } from "../api.ts";
import { Ask } from "../parts/Ask.tsx";
import { Chart } from "../parts/charts.tsx";
import { DisputeNext } from "../parts/DisputeNext.tsx";
import { Page } from "../parts/Frame.tsx";
import { Fault, Show } from "../parts/states.tsx";
import { Table } from "../parts/Table.tsx";
import { useTexts } from "../texts/index.tsx";
import type { Receipt as Billed, Dispute as Standing } from "../types.ts";
import { isGenuine } from "./bill.ts";

export function Receipt({ id }: { readonly id: string }) {
  const { t } = useTexts();
  const bill = useLoaded<Billed>(`/driver/sessions/${id}/receipt`);
  return (
    <Page title={t.receipt.title} narrow>
      <Show what={bill}>
        {(data) => <Bill id={id} bill={data} contents={parseReceipt(data.receipt)} again={bill.again} />}
      </Show>
    </Page>
  );
}

type Parts = { readonly id: string; readonly bill: Billed; readonly contents: Contents; readonly again: () => void };

function Bill(parts: Parts) {
  return (
    <>
      <Sum {...parts} />
      <Origin bill={parts.bill} />
      <Flex {...parts} />
      <OnChain {...parts} />
    </>
  );
}

const instant = (second: number) => new Date(second * 1000).toISOString();

function Sum({ bill, contents }: Parts) {
  const { t, f } = useTexts();
  const { meter, tariff, promise } = contents;
  // Missing for the driver's own early leaving alone: nobody broke a promise.
  const leftEarly = promise?.outcome === "short" && promise.shares.driverWh === promise.missingWh;
  const { metered, atOnce } = worths(contents.flex.intervals);
  const extras = [
    [t.receipt.compensation, bill.compensationMicroEur],
    [t.receipt.refund, bill.state.refundMicroEur],
  ].filter(([, amount]) => amount !== "0");
  return (
    <section className="card">
      <p className="soft">
        {t.receipt.plug(f.date(instant(meter.startAt)), f.when(instant(meter.endAt), new Date(meter.startAt * 1000)))}
      </p>
      <p className="big">{f.euro(bill.dueMicroEur)}</p>
      <dl className="lines">
        <dt>{t.receipt.energy}</dt>
        <dd>{f.kwh(bill.energyWh)}</dd>
        <dt>{t.receipt.price}</dt>
        <dd>{f.price(tariff.pricePerKwh)}</dd>
        {extras.map(([name, amount]) => [
          <dt key={name}>{name}</dt>,
          <dd key={`${name} amount`}>−{f.euro(amount as string)}</dd>,
        ])}
        <dt className="sum">{t.receipt.total}</dt>
        <dd className="sum">{f.euro(bill.dueMicroEur)}</dd>
      </dl>
      {promise && (
        <p>
          <span className={`chip ${promise.outcome === "kept" ? "good" : leftEarly ? "" : "warn"}`}>
            {leftEarly ? t.receipt.early : t.receipt.outcome[promise.outcome]}
          </span>{" "}
          {t.session.promised(f.kwh(promise.energyWh), f.when(instant(promise.by), new Date(meter.startAt * 1000)))}
          {promise.outcome !== "kept" && !leftEarly && (
            <span className="soft"> · {t.receipt.missing(f.kwh(promise.missingWh))}</span>
          )}
        </p>
      )}
      {atOnce !== 0n && (
        <div className="stack">
          <h2>{t.receipt.saved}</h2>
          <p className="soft small">{t.receipt.savedLead}</p>
          <dl className="lines">
            <dt>{t.receipt.atOnce}</dt>
            <dd>{f.euroFine(atOnce)}</dd>
            <dt>{t.receipt.metered}</dt>
            <dd>{f.euroFine(metered)}</dd>
            <dt className="sum">{t.receipt.saved}</dt>
            <dd className="sum">{f.euroFine(atOnce - metered)}</dd>
          </dl>
        </div>
      )}
    </section>
  );
}

/** A step needs a point where it ends. */
const untilItsEnd = (values: readonly number[]) => [...values, ...values.slice(-1)];

/** A quarter of an hour and its meters are known so long after it began at the latest, ms. */
const KNOWN_MS = 20 * 60_000;

/** Sun and grid, as far as the site's meter was heard. */
function Origin({ bill: { solar, carbon, energyWh, settledAt } }: { readonly bill: Billed }) {
  const { t, f } = useTexts();
  const isFresh = Date.now() - Date.parse(settledAt) < KNOWN_MS;
  if (solar === null)
    return isFresh && energyWh > 0 ? (
      <section className="card">
        <h2>{t.receipt.origin}</h2>
        <p className="soft">{t.receipt.originLater}</p>
      </section>
    ) : null;
  const { solarWh, ofWh } = solar;
  const part = solarWh / ofWh;
  const lines = [
    [t.receipt.solar, solarWh, part],
    [t.receipt.grid, ofWh - solarWh, 1 - part],
  ] as const;
  return (
    <section className="card">
      <h2>{t.receipt.origin}</h2>
      <div className="meter" aria-hidden="true">
        <i style={{ width: `${100 * part}%` }} />
      </div>
      <dl className="lines">
        {lines.map(([name, wh, share]) => [
          <dt key={name}>{name}</dt>,
          <dd key={`${name} energy`}>
            {f.kwh(wh)}, {f.percent(share)}
          </dd>,
        ])}
        {carbon && (
          <>
            <dt>{t.receipt.carbon}</dt>
            <dd>{f.carbon(carbon.meteredG)}</dd>
            <dt>{t.receipt.carbonAtOnce}</dt>
            <dd>{f.carbon(carbon.atOnceG)}</dd>
          </>
        )}
      </dl>
      <p className="soft small">
        {t.receipt.originLead} {ofWh < energyWh && t.receipt.originPart(f.kwh(ofWh))} {carbon && t.receipt.carbonLead}
      </p>
    </section>
  );
}

function Flex({ bill, contents }: Parts) {
  const { t, f } = useTexts();
  const { flex } = contents;
  return (
    <section className="card">
      <h2>{t.receipt.flex}</h2>
      <p className="big">{f.flex(bill.flexWh)} FLEX</p>
      <p className="soft">{bill.flexWh > 0 ? t.receipt.flexLead : t.receipt.flexNone}</p>
      {flex.intervals.length > 0 && (
        <>
          <Chart
            label={t.receipt.how}
            at={[...flex.intervals.map(({ from }) => from), ...flex.intervals.slice(-1).map(({ to }) => to)]}
            unit={f.kwh}
            curves={[
              {
                name: t.receipt.baseline,
                values: untilItsEnd(flex.intervals.map(({ baselineWh }) => baselineWh)),
                colour: "blue",
                look: "dashed",
              },
              {
                name: t.receipt.real,
                values: untilItsEnd(flex.intervals.map(({ meteredWh }) => meteredWh)),
                colour: "green",
                look: "area",
              },
            ]}
          />
          <details>
            <summary>{t.receipt.how}</summary>
            <Table
              label={t.receipt.how}
              rows={flex.intervals}
              keyOf={({ from }) => from}
              columns={[
                { name: t.receipt.interval, cell: ({ from }) => f.time(instant(from)) },
                { name: t.receipt.baseline, cell: ({ baselineWh }) => `${f.count(baselineWh)} Wh`, isNumber: true },
                { name: t.receipt.real, cell: ({ meteredWh }) => `${f.count(meteredWh)} Wh`, isNumber: true },
                { name: t.receipt.value, cell: ({ value }) => f.price(value), isNumber: true },
                {
                  name: t.receipt.reason,
                  cell: ({ down, up }) =>
                    [down, up].flatMap((why) => (why ? [t.receipt.reasonText[why]] : [])).join(", "),
                },
              ]}
            />
            <p className="soft small">{contents.methods.flexibility}</p>
          </details>
        </>
      )}
    </section>
  );
}

function OnChain({ id, bill, again }: Parts) {
  const { t, f } = useTexts();
  const [genuine, setGenuine] = useState<boolean | null>(null);
  const [disputing, setDisputing] = useState(false);
  useEffect(() => {
    let gone = false;
    void isGenuine(bill).then((yes) => gone || setGenuine(yes));
    return () => {
      gone = true;
    };
  }, [bill]);
  // A bill on its way is looked at again until it is there.
  const waits = ["waiting", "posting", "asked"].includes(bill.state.kind);
  useEffect(() => {
    if (!waits) return;
    const timer = setInterval(again, 5000);
    return () => clearInterval(timer);
  }, [waits, again]);
  return (
    <section className="card">
      <div className="row spread">
        <h2>{t.receipt.chain}</h2>
        <span className={`chip ${waits ? "" : "good"}`}>{t.receipt.states[bill.state.kind]}</span>
      </div>
      <dl className="facts">
        <div>
          <dt>{t.receipt.hash}</dt>
          <dd className="mono">{f.short(bill.detailHash)}</dd>
        </div>
        {bill.batch !== null && (
          <div>
            <dt>{t.receipt.chain}</dt>
            <dd>{t.receipt.batch(bill.batch)}</dd>
          </div>
        )}
      </dl>
      {genuine !== null && (
        <p className={`notice ${genuine ? "good" : "bad"}`}>{genuine ? t.receipt.verified : t.receipt.differs}</p>
      )}
      <p className="soft">{t.receipt.checkLead}</p>
      <a className="button first" href={`/audit?bundle=/driver/sessions/${id}/bundle`}>
        {t.receipt.check}
      </a>
      <a className="button" href={`/driver/sessions/${id}/bundle`} download={`oli-move-${bill.sessionNumber}.json`}>
        {t.receipt.download}
      </a>
      {bill.state.kind === "open" && (
        <button type="button" className="danger" onClick={() => setDisputing(true)}>
          {t.receipt.dispute}
        </button>
      )}
      {disputing && (
        <Dispute
          id={id}
          close={() => {
            setDisputing(false);
            again();
          }}
        />
      )}
    </section>
  );
}

function Dispute({ id, close }: { readonly id: string; readonly close: () => void }) {
  const { t } = useTexts();
  const about = useLoaded<Standing>(`/driver/sessions/${id}/dispute`);
  const [reason, setReason] = useState("");
  const { run, busy, problem } = useAction(async () => {
    await ask("POST", `/driver/sessions/${id}/dispute`, { reason });
    close();
  });
  return (
    <Ask title={t.receipt.dispute} close={close}>
      <Show what={about}>
        {(data) => (
          <p className="soft">
            <DisputeNext dispute={data} />
          </p>
        )}
      </Show>
      <label>
        {t.receipt.disputeWhy}
        <textarea rows={4} maxLength={2000} value={reason} onChange={({ target }) => setReason(target.value)} />
      </label>
      <Fault problem={problem} />
      <button type="button" className="first wide" disabled={busy || reason.trim() === ""} onClick={() => void run()}>
        {t.receipt.disputeSend}
      </button>
      <button type="button" className="wide plain" onClick={close}>
        {t.state.cancel}
      </button>
    </Ask>
  );
}
