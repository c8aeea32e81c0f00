/** A labelled field with its hint and its fault, tied together for whoever cannot see them side by side. */
import { type ComponentProps, type FormEvent, useId } from "react";
import type { ApiProblem } from "../api.ts";
import { useTexts } from "../texts/index.tsx";
import { Words } from "./Words.tsx";

type Props = Omit<ComponentProps<"input">, "id"> & {
  readonly label: string;
  readonly hint?: string | undefined;
  /** Member of the request's body: its fault is shown here. */
  readonly member?: string;
  readonly problem?: ApiProblem | null;
};

export function Field({ label, hint, member, problem, ...rest }: Props) {
  const id = useId();
  const fault = member === undefined ? null : (problem?.at(member) ?? null);
  const said = [hint && `${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(" ");
  return (
    <div className="label">
      <label htmlFor={id}>{label}</label>
      <input id={id} aria-invalid={fault !== null} {...(said ? { "aria-describedby": said } : {})} {...rest} />
      {hint && (
        <span className="hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
      {problem && fault && (
        <span className="fault" id={`${id}-fault`} role="alert">
          <Words type={problem.type} detail={fault} />
        </span>
      )}
    </div>
  );
}

type Option<T extends string> = { readonly value: T; readonly label: string; readonly hint?: string };

/** One of a few, each a large target; a radio group underneath. */
export function Choice<T extends string>(props: {
  readonly label: string;
  readonly value: T;
  readonly options: readonly Option<T>[];
  readonly onChoose: (value: T) => void;
  readonly hideLabel?: boolean;
}) {
  const name = useId();
  return (
    <fieldset className="stack">
      <legend className={props.hideLabel ? "hidden" : "label"}>{props.label}</legend>
      <div className="choice">
        {props.options.map(({ value, label, hint }) => (
          <label key={value}>
            <input
              type="radio"
              name={name}
              value={value}
              checked={value === props.value}
              onChange={() => props.onChoose(value)}
            />
            <span>{label}</span>
            {hint && <span className="hint">{hint}</span>}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

type PasswordProps = {
  readonly value: string;
  readonly problem: ApiProblem | null;
  readonly change: (password: string) => void;
};

export function Password({ label, isNew, value, problem, change }: PasswordProps & { label: string; isNew?: boolean }) {
  const { t } = useTexts();
  return (
    <Field
      label={label}
      type="password"
      required
      {...(isNew
        ? { autoComplete: "new-password", minLength: 10, hint: t.account.passwordHint }
        : { autoComplete: "current-password" })}
      value={value}
      member="password"
      problem={problem}
      onChange={({ target }) => change(target.value)}
    />
  );
}

/** Whoever takes money, a key or an end says the password again. */
export function PasswordAgain(props: PasswordProps) {
  const { t } = useTexts();
  return <Password label={t.account.confirm} {...props} />;
}

/** A form that is sent does its work; the page stays. */
export const submitting = (work: () => Promise<void>) => (event: FormEvent) => {
  event.preventDefault();
  void work();
};
