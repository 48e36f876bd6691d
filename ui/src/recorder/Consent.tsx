import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import type { ConsentText } from '../api/types/ConsentText';
import { Button, Field } from '../shared/parts';
import { type Invite, recorder, type Standing } from './bridge';
import { Page, TroubleNotice } from './Page';

type Props = { invite: Invite; consent: ConsentText; onJoined: (standing: Standing) => void; onBack: () => void };

const scopes: Record<string, string> = {
  screen: 'your screen',
  voice: 'your voice',
  input_events: 'clicks, scrolling and shortcuts (never what you type)',
};

export function Consent({ invite, consent, onJoined, onBack }: Props) {
  const [agreed, setAgreed] = useState(false);
  const [name, setName] = useState('');
  const [fiverrUser, setFiverrUser] = useState('');
  const join = useMutation({ mutationFn: () => recorder.join(invite, consent, name.trim(), fiverrUser.trim()), onSuccess: onJoined });
  const ready = agreed && name.trim() !== '' && fiverrUser.trim() !== '';
  const recorded = consent.scope.map((scope) => scopes[scope] ?? scope.replaceAll('_', ' '));
  return (
    <Page id="consent" title="What you agree to" lead={recorded.length > 0 ? `While you record, this is kept: ${recorded.join(', ')}.` : undefined}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) join.mutate();
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
        <div className="pair">
          <Field id="name" label="Your name">
            <input id="name" className="input" value={name} onChange={(event) => setName(event.target.value)} autoComplete="name" data-testid="name" />
          </Field>
          <Field id="fiverr" label="Your Fiverr user name">
            <input id="fiverr" className="input" value={fiverrUser} onChange={(event) => setFiverrUser(event.target.value)} autoComplete="off" spellCheck={false} data-testid="fiverr-user" />
          </Field>
        </div>
        <TroubleNotice error={join.error} />
        <div className="row">
          <Button look="primary" large type="submit" disabled={!ready || join.isPending} data-testid="join">
            {join.isPending ? 'One moment' : 'Agree and go on'}
          </Button>
          <Button look="quiet" large onClick={onBack}>
            Go back
          </Button>
        </div>
        <p className="muted">Version {consent.version} of this text. You can withdraw at any time.</p>
      </form>
    </Page>
  );
}
