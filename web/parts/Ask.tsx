/** A question that stands in the way until it is answered. */
import { type ReactNode, useEffect, useId, useRef } from "react";

export function Ask(props: { readonly title: string; readonly close: () => void; readonly children: ReactNode }) {
  const id = useId();
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    box.current?.showModal();
    // What is taken out of the page while it is open gives nothing back by itself.
    return () => (before as HTMLElement | null)?.focus();
  }, []);
  return (
    <dialog ref={box} aria-labelledby={id} onClose={props.close}>
      <div className="stack">
        <h2 id={id}>{props.title}</h2>
        {props.children}
      </div>
    </dialog>
  );
}
