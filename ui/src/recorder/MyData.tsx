import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Button, Notice } from '../shared/parts';
import { type Left, recorder } from './bridge';
import { TroubleNotice } from './Page';

type Props = { hasLeft: boolean; onLeft: (left: Left) => void };

/** A person's own data: a copy of it, an end to its use, its erasure. What cannot be undone is asked twice. */
export function MyData({ hasLeft, onLeft }: Props) {
  const [alsoHere, setAlsoHere] = useState(false);
  const copy = useMutation({ mutationFn: recorder.saveMyData });
  const withdraw = useMutation({ mutationFn: recorder.withdraw, onSuccess: onLeft });
  const erase = useMutation({ mutationFn: () => recorder.erase(alsoHere), onSuccess: onLeft });
  return (
    <details className="card" data-testid="my-data">
      <summary>Your data and your consent</summary>
      <div className="stack inside">
        <section className="stack tight" aria-labelledby="copy-title">
          <h2 id="copy-title">A copy of it</h2>
          <p>Everything that the server keeps of you, as a file on this computer. The addresses of recordings in it hold for an hour.</p>
          <div className="row">
            <Button disabled={copy.isPending} onClick={() => copy.mutate()} data-testid="copy-data">
              {copy.isPending ? 'One moment' : 'Save a copy'}
            </Button>
          </div>
          {copy.data ? (
            <div data-testid="copied">
              <Notice tone="good" title="Saved.">
                <span className="path">{copy.data}</span>
              </Notice>
            </div>
          ) : null}
          <TroubleNotice error={copy.error} />
        </section>
        {hasLeft ? null : (
          <Twice
            id="withdraw"
            title="Withdraw your consent"
            button="Withdraw"
            question="Withdraw your consent for good?"
            busy={withdraw.isPending}
            error={withdraw.error}
            onYes={() => withdraw.mutate()}
          >
            <p>
              Nothing more is recorded or sent in. What you sent in is left out of all that is made from now on, and work on it ends; what
              programs have already learned from it cannot be taken back. Pay for accepted recordings stays yours. To record again you need a new invite.
            </p>
          </Twice>
        )}
        <Twice
          id="erase"
          title="Erase what the server has of you"
          button="Erase everything"
          question="Erase everything that the server has of you?"
          busy={erase.isPending}
          error={erase.error}
          onYes={() => erase.mutate()}
        >
          <p>
            Your recordings and all that was made of them are removed at once, those that wait for a decision too. Your name is kept only
            while pay is owed to you, a month at most. This computer is then a stranger to the server: you no longer see here what became of a recording.
          </p>
          <label className="tick">
            <input type="checkbox" checked={alsoHere} onChange={(event) => setAlsoHere(event.target.checked)} data-testid="erase-here" />
            <span>Delete the recordings on this computer, too</span>
          </label>
        </Twice>
      </div>
    </details>
  );
}

type TwiceProps = { id: string; title: string; button: string; question: string; busy: boolean; error: unknown; onYes: () => void; children: ReactNode };

/** Something that cannot be undone: told, asked for, and asked again. */
function Twice({ id, title, button, question, busy, error, onYes, children }: TwiceProps) {
  const [asking, setAsking] = useState(false);
  return (
    <section className="stack tight" aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title}</h2>
      {children}
      {asking ? (
        <Notice tone="warn" title={question}>
          <span>This cannot be undone.</span>
          <div className="row">
            <Button look="danger" disabled={busy} onClick={onYes} data-testid={`${id}-yes`}>
              {busy ? 'One moment' : `Yes: ${button.toLowerCase()}`}
            </Button>
            <Button onClick={() => setAsking(false)}>No</Button>
          </div>
        </Notice>
      ) : (
        <div className="row">
          <Button onClick={() => setAsking(true)} data-testid={id}>
            {button}
          </Button>
        </div>
      )}
      <TroubleNotice error={error} />
    </section>
  );
}
