/** A car from the list, for the energy that its battery holds. */
import { useId } from "react";
import { useTexts } from "../texts/index.tsx";
import { VEHICLES } from "./vehicles.ts";

export function Vehicle(props: {
  /** Wh; null: not known. */
  readonly batteryWh: number | null;
  readonly change: (batteryWh: number | null) => void;
}) {
  const { t } = useTexts();
  const id = useId();
  return (
    <div className="label">
      <label htmlFor={id}>{t.join.pickCar}</label>
      <select
        id={id}
        value={VEHICLES.find(({ batteryWh }) => batteryWh === props.batteryWh)?.name ?? ""}
        onChange={({ target }) =>
          props.change(VEHICLES.find(({ name }) => name === target.value)?.batteryWh ?? props.batteryWh)
        }
      >
        <option value="">{t.profile.carNone}</option>
        {VEHICLES.map(({ name }) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </div>
  );
}
