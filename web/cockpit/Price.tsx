/** What drivers pay from now on. */
import { useState } from "react";
import { ask, useAction, useLoaded } from "../api.ts";
import { microEurOf } from "../euros.ts";
import { Field, submitting } from "../parts/Field.tsx";
import { Fault, Show } from "../parts/states.tsx";
import { useTexts } from "../texts/index.tsx";
import type { Tariff } from "../types.ts";

export function Price() {
  const { t, f } = useTexts();
  const tariff = useLoaded<Tariff>("/cpo/tariff");
  const [price, setPrice] = useState("");
  const { run, busy, problem } = useAction(async () => {
    await ask("PUT", "/cpo/tariff", { pricePerKwhMicroEur: microEurOf(price) ?? price });
    setPrice("");
    tariff.again();
  });
  return (
    <section className="card">
      <h2>{t.setup.tariff}</h2>
      <Show what={tariff}>{(data) => <p className="big">{f.price(data.pricePerKwhMicroEur)}</p>}</Show>
      <form className="stack" onSubmit={submitting(run)}>
        <Field
          label={t.setup.newPrice}
          hint={t.setup.newPriceHint}
          inputMode="decimal"
          required
          value={price}
          member="pricePerKwhMicroEur"
          problem={problem}
          onChange={({ target }) => setPrice(target.value)}
        />
        <Fault problem={problem} fields={["pricePerKwhMicroEur"]} />
        <button type="submit" disabled={busy}>
          {t.state.save}
        </button>
      </form>
    </section>
  );
}
