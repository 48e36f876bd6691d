import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { session } from '../../api/admin';
import { onProofRequired } from '../../api/client';
import { FailureNotice } from '../../shared/FailureNotice';
import { Button, Field } from '../../shared/parts';
import { CodeField } from './CodeField';

/** Asks for password or code again when the server wants it, and lets the waiting request go on. */
export function ProofDialog({ hasSecondFactor }: { hasSecondFactor: boolean }) {
  const [isOpen, setOpen] = useState(false);
  const answer = useRef<((proven: boolean) => void) | null>(null);
  const asked = useRef<Promise<boolean> | null>(null);
  useEffect(
    () =>
      onProofRequired(() => {
        // Two requests that wait are answered by one proof.
        asked.current ??= new Promise<boolean>((resolve) => {
          answer.current = resolve;
        });
        setOpen(true);
        return asked.current;
      }),
    [],
  );
  const end = (proven: boolean) => {
    setOpen(false);
    asked.current = null;
    answer.current?.(proven);
  };
  return (
    <ModalOverlay className="veil" isOpen={isOpen} onOpenChange={(open) => (open ? setOpen(true) : end(false))} isDismissable>
      <Modal className="dialog">
        <Dialog>
          <ProofForm hasSecondFactor={hasSecondFactor} onEnd={end} />
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

function ProofForm({ hasSecondFactor, onEnd }: { hasSecondFactor: boolean; onEnd: (proven: boolean) => void }) {
  const [typed, setTyped] = useState('');
  const prove = useMutation({
    mutationFn: () => session.prove(hasSecondFactor ? { password: null, totp: typed } : { password: typed, totp: null }),
    onSuccess: () => onEnd(true),
    onError: () => setTyped(''),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    prove.mutate();
  };
  return (
    <form className="stack" onSubmit={submit}>
      <Heading slot="title">Is it still you?</Heading>
      <p className="muted">What you asked for touches money, access or erasure. Then it goes on by itself.</p>
      {prove.isError ? <FailureNotice error={prove.error} /> : null}
      {hasSecondFactor ? (
        <CodeField id="proof" label="Code of your authenticator app" value={typed} onChange={setTyped} autoFocus />
      ) : (
        <Field id="proof" label="Password">
          <input
            id="proof"
            className="input"
            type="password"
            autoComplete="current-password"
            required
            autoFocus
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
        </Field>
      )}
      <div className="row">
        <Button type="submit" look="primary" disabled={prove.isPending}>
          {prove.isPending ? 'Checking' : 'Go on'}
        </Button>
        <Button onClick={() => onEnd(false)}>Rather not</Button>
      </div>
    </form>
  );
}
