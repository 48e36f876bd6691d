import { useMutation, useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { ConsentText } from '../api/types/ConsentText';
import { Button, Field, Loading } from '../shared/parts';
import { type Invite, recorder, type Standing } from './bridge';
import { Page, TroubleNotice } from './Page';

const scopes: Record<string, string> = {
  screen: 'your screen',
  voice: 'your voice',
  input_events: 'clicks, scrolling and shortcuts (never what you type)',
};

function whatIsKept(consent: ConsentText): string | undefined {
  const recorded = consent.scope.map((scope) => scopes[scope] ?? scope.replaceAll('_', ' '));
  return recorded.length > 0 ? `While you record, this is kept: ${recorded.join(', ')}.` : undefined;
}

type Props = { invite: Invite; consent: ConsentText; onJoined: (standing: Standing) => void; onBack: () => void };

/** The text, and who agrees to it. */
export function Consent({ invite, consent, onJoined, onBack }: Props) {
  const [name, setName] = useState('');
  const [fiverrUser, setFiverrUser] = useState('');
  const join = useMutation({ mutationFn: () => recorder.join(invite, consent, name.trim(), fiverrUser.trim()), onSuccess: onJoined });
  const ready = name.trim() !== '' && fiverrUser.trim() !== '';
  return (
    <Page id="consent" title="What you agree to" lead={whatIsKept(consent)}>
      <Form consent={consent} ready={ready} busy={join.isPending} error={join.error} back="Go back" onAgree={() => join.mutate()} onBack={onBack}>
        <div className="pair">
          <Field id="name" label="Your name">
            <input id="name" className="input" value={name} onChange={(event) => setName(event.target.value)} autoComplete="name" data-testid="name" />
          </Field>
          <Field id="fiverr" label="Your Fiverr user name">
            <input id="fiverr" className="input" value={fiverrUser} onChange={(event) => setFiverrUser(event.target.value)} autoComplete="off" spellCheck={false} data-testid="fiverr-user" />
          </Field>
        </div>
      </Form>
    </Page>
  );
}

type AgainProps = { onAgreed: () => void; onBack: () => void };

/** The text was renewed: the same worker agrees to the new one, or leaves it. */
export function ConsentAgain({ onAgreed, onBack }: AgainProps) {
  const text = useQuery({ queryKey: ['consent_in_force'], queryFn: recorder.consentInForce, gcTime: 0 });
  const agree = useMutation({ mutationFn: recorder.agree, onSuccess: onAgreed });
  return (
    <Page id="consent-again" title="What you agreed to has changed" lead={text.data ? whatIsKept(text.data) : undefined}>
      <p>Please read the new text. Nothing that you recorded is lost: what waits is sent once you agree. If you do not agree, nothing more is recorded or sent.</p>
      {text.isPending ? <Loading what="Asking for the text" /> : null}
      <TroubleNotice error={text.error} onRetry={() => void text.refetch()} />
      {text.data ? <Form consent={text.data} ready busy={agree.isPending} error={agree.error} back="Not now" onAgree={() => agree.mutate(text.data)} onBack={onBack} /> : null}
    </Page>
  );
}

type FormProps = {
  consent: ConsentText;
  /** What else is asked was answered. */
  ready: boolean;
  busy: boolean;
  error: unknown;
  back: string;
  onAgree: () => void;
  onBack: () => void;
  children?: ReactNode;
};

function Form({ consent, ready, busy, error, back, onAgree, onBack, children }: FormProps) {
  const [agreed, setAgreed] = useState(false);
  const may = ready && agreed;
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (may) onAgree();
      }}
    >
      <div className="card consent stack" tabIndex={0} role="region" aria-label="The text you agree to" data-testid="consent-text">
        {consent.text.split(/\n\s*\n/).map((paragraph) => (
          <p key={paragraph}>{paragraph}</p>
        ))}
      </div>
      <label className="tick">
        <input type="checkbox" checked={agreed} onChange={(event) => setAgreed(event.target.checked)} data-testid="agree" />
        <span>I have read this and I agree.</span>
      </label>
      {children}
      <TroubleNotice error={error} />
      <div className="row">
        <Button look="primary" large type="submit" disabled={!may || busy} data-testid="join">
          {busy ? 'One moment' : 'Agree and go on'}
        </Button>
        <Button look="quiet" large onClick={onBack}>
          {back}
        </Button>
      </div>
      <p className="muted">Version {consent.version} of this text. You can withdraw at any time.</p>
    </form>
  );
}
