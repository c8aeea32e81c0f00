/** A driver's own bundle against the chain: the same check as `npm run verify -- --bundle`, in the browser. */
import { useEffect, useState } from "react";
import { Field } from "../parts/Field.tsx";
import { Loading } from "../parts/states.tsx";
import { InEnglish } from "../parts/Words.tsx";
import { useTexts } from "../texts/index.tsx";
import type { BundleReport, Opened } from "./chain.ts";
import { Trouble, Verdict } from "./parts.tsx";

export function BundleCheck({ opened }: { readonly opened: Opened }) {
  const { t } = useTexts();
  const [report, setReport] = useState<BundleReport | Trouble | "busy" | null>(null);
  const check = (text: Promise<string>) => {
    setReport("busy");
    text
      .then(opened.bundle)
      .then(setReport, (error: Error) => setReport({ words: t.audit.badFile, own: error.message }));
  };
  // A receipt's "check it yourself" names the driver's own bundle.
  // biome-ignore lint/correctness/useExhaustiveDependencies: once per deployment
  useEffect(() => {
    const own = new URLSearchParams(location.search).get("bundle");
    if (own?.startsWith("/driver/")) check(fetch(own).then((response) => response.text()));
  }, [opened]);
  return (
    <section className="card" aria-labelledby="bundle">
      <h2 id="bundle">{t.audit.bundle}</h2>
      <p className="soft">{t.audit.bundleLead}</p>
      <Field
        label={t.audit.bundleFile}
        type="file"
        accept="application/json"
        onChange={({ target }) => target.files?.[0] && check(target.files[0].text())}
      />
      {report === "busy" && <Loading />}
      {report !== null &&
        report !== "busy" &&
        ("words" in report ? <Trouble trouble={report} /> : <Report report={report} />)}
    </section>
  );
}

function Report({ report }: { readonly report: BundleReport }) {
  const { t } = useTexts();
  return (
    <div className="stack" role="status">
      <p>
        <Verdict good={report.ok}>
          {report.ok
            ? t.audit.bundleGood(report.billsChecked, report.leavesChecked)
            : t.audit.bundleBad(report.differences.length)}
        </Verdict>
      </p>
      {report.differences.map(({ where, what, text }) => (
        <p key={`${where} ${what}`} className="notice bad">
          <strong lang="en">{where}</strong> <InEnglish>{text}</InEnglish>
        </p>
      ))}
      <ul className="stack">
        {report.table.map(({ check, checked, differences }) => (
          <li key={check} className="row">
            <Verdict good={differences === 0}>{t.api?.checks[check] ?? check}</Verdict>{" "}
            <span className="soft">{checked}</span>
          </li>
        ))}
      </ul>
      {report.notes.map((note) => (
        <p key={note} className="soft small">
          <InEnglish>{note}</InEnglish>
        </p>
      ))}
    </div>
  );
}
