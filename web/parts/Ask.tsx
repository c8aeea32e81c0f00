/** A question that stands in the way until it is answered. */
import { type ReactNode, useEffect, useId, useRef } from "react";

export function Ask(props: { readonly title: string; readonly close: () => void; readonly children: ReactNode }) {
  const id = useId();
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => box.current?.showModal(), []);
  return (
    <dialog ref={box} aria-labelledby={id} onClose={props.close}>
      <div className="stack">
        <h2 id={id}>{props.title}</h2>
        {props.children}
      </div>
    </dialog>
  );
}
