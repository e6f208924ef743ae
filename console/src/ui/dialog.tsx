/* SPDX-License-Identifier: Apache-2.0 */
/* A question before something that can't be taken back. */
import { useEffect, useRef } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { Button } from "./bits";

export function Confirm({ title, action, children, onDone }: {
  title: string; action: string; children: ComponentChildren; onDone: (yes: boolean) => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby="confirm-title" onCancel={(event) => {
      event.preventDefault();
      onDone(false);
    }}>
      <h2 id="confirm-title">{title}</h2>
      {children}
      <div class="buttons">
        <Button label="Cancel" onClick={() => onDone(false)} />
        <Button label={action} kind="danger" onClick={() => onDone(true)} />
      </div>
    </dialog>
  );
}
