/** Wholesale price and carbon intensity, now and as far as they are published: why load is moved. */
import { useLoaded } from "../api.ts";
import { Chart } from "../parts/charts.tsx";
import { Show } from "../parts/states.tsx";
import { useTexts } from "../texts/index.tsx";
import type { Outlook } from "../types.ts";

const SLOT_MS = 900_000;
const HEIGHT = 130;

/** `at`: now, as the service counts. A new quarter-hour is asked for anew. */
export function Market({ at }: { readonly at: string }) {
  const { t, f } = useTexts();
  const from = new Date(Math.floor(Date.parse(at) / SLOT_MS) * SLOT_MS).toISOString().replace(/\.\d+Z$/, "Z");
  const outlook = useLoaded<Outlook>(`/market?from=${from}`);
  return (
    <section className="card">
      <h2>{t.market.title}</h2>
      <Show what={outlook}>
        {({ slots }) => {
          if (slots.length === 0) return <p className="soft">{t.market.none}</p>;
          const instants = slots.map((one) => Date.parse(one.from) / 1000);
          const curves = [
            {
              name: t.market.price,
              values: slots.map((one) => (one.pricePerKwhMicroEur === null ? null : Number(one.pricePerKwhMicroEur))),
              unit: f.cents,
              colour: "blue",
            },
            { name: t.market.carbon, values: slots.map((one) => one.gramsPerKwh), unit: f.carbon, colour: "green" },
          ];
          return curves
            .filter(({ values }) => values.some((one) => one !== null))
            .map(({ name, values, unit, colour }) => (
              <Chart
                key={name}
                label={name}
                at={instants}
                unit={unit}
                height={HEIGHT}
                curves={[{ name, values, colour, look: "area" }]}
              />
            ));
        }}
      </Show>
    </section>
  );
}
