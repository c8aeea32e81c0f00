/**
 * The audit explorer: everything that it shows comes from the chain, through a node that its reader names. Our service is asked
 * for two things only: where the contracts are, and the bytes behind a hash, which are hashed again here.
 */
import "../look.css";
import "../theme.ts";
import { Buffer } from "buffer";
import { type FormEvent, StrictMode, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { Field } from "../parts/Field.tsx";
import { Looks } from "../parts/Frame.tsx";
import { Loading } from "../parts/states.tsx";
import { Spoken, useTexts } from "../texts/index.tsx";
import { Batches } from "./Batches.tsx";
import { BundleCheck } from "./BundleCheck.tsx";
import { type Manifest, type Opened, openDeployment } from "./chain.ts";
import { Deployment } from "./Deployment.tsx";
import { Trouble } from "./parts.tsx";
import { Runs } from "./Runs.tsx";
import { TransactionView } from "./TransactionView.tsx";

// The chain's adapters are shared with the service, where Buffer is part of the platform.
(globalThis as { Buffer?: unknown }).Buffer ??= Buffer;

type Source = { readonly url: string; readonly manifest: Manifest | null };

const asManifest = (plain: unknown): Manifest => {
  const found = (plain as { manifest?: Manifest }).manifest ?? (plain as Manifest);
  if (typeof found?.chainId !== "number" || !found.contracts?.Settlement) throw new Error("$.contracts.Settlement");
  return found;
};

function Explorer() {
  const { t } = useTexts();
  const [source, setSource] = useState<Source>({ url: "", manifest: null });
  const [opened, setOpened] = useState<Opened | "waits" | null>(null);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [tx, setTx] = useState<`0x${string}` | null>(null);

  const open = async ({ url, manifest }: Source) => {
    setTrouble(null);
    setOpened(null);
    if (manifest === null) return setTrouble({ words: t.audit.noManifest });
    setOpened("waits");
    try {
      setOpened(await openDeployment(url, manifest));
    } catch (error) {
      setOpened(null);
      setTrouble({ words: t.audit.unread, own: (error as Error).message });
    }
  };

  // What our service says where to look is only a proposal: both fields can be filled by hand.
  // biome-ignore lint/correctness/useExhaustiveDependencies: once
  useEffect(() => {
    fetch("/audit/manifest")
      .then((response) => response.json())
      .then(({ manifest, rpcUrl }) => {
        const found = {
          url: new URLSearchParams(location.search).get("rpc") ?? rpcUrl ?? "",
          manifest: asManifest(manifest),
        };
        setSource(found);
        if (found.url !== "") void open(found);
      })
      .catch(() => setTrouble({ words: t.audit.noService }));
  }, []);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    void open(source);
  };
  const take = (file: File | undefined) => {
    file
      ?.text()
      .then((text) => setSource({ ...source, manifest: asManifest(JSON.parse(text)) }))
      .catch((error: Error) => setTrouble({ words: t.audit.badFile, own: error.message }));
  };
  return (
    <>
      <a className="skip" href="#content">
        {t.look.skip}
      </a>
      <header className="bar">
        <a className="brand" href="/">
          <img src="/icon.svg" alt="" />
          Oli Move
        </a>
        <nav aria-label={t.nav.main} />
        <Looks />
      </header>
      <main id="content" tabIndex={-1}>
        <h1>{t.audit.title}</h1>
        <p className="soft lead">{t.audit.lead}</p>
        <form className="card" onSubmit={submit}>
          <div className="filters">
            <Field
              label={t.audit.node}
              hint={t.audit.nodeHint}
              type="url"
              required
              value={source.url}
              onChange={({ target }) => setSource({ ...source, url: target.value })}
            />
            <Field
              label={t.audit.manifest}
              hint={source.manifest ? t.audit.chain(source.manifest.chainId) : t.audit.manifestHint}
              type="file"
              accept="application/json"
              onChange={({ target }) => take(target.files?.[0])}
            />
          </div>
          <button type="submit" className="first" disabled={opened === "waits"}>
            {t.audit.read}
          </button>
          {trouble !== null && <Trouble trouble={trouble} />}
        </form>
        {opened === "waits" && <Loading />}
        {opened !== null && opened !== "waits" && (
          <>
            <BundleCheck opened={opened} />
            <Deployment opened={opened} show={setTx} />
            <Runs opened={opened} show={setTx} />
            <Batches opened={opened} show={setTx} />
            {tx !== null && <TransactionView opened={opened} hash={tx} close={() => setTx(null)} />}
          </>
        )}
      </main>
    </>
  );
}

createRoot(document.getElementById("app") as HTMLElement).render(
  <StrictMode>
    <Spoken>
      <Explorer />
    </Spoken>
  </StrictMode>,
);
