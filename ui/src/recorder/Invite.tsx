import { useMutation } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { ConsentText } from '../api/types/ConsentText';
import { Button, Field, Notice } from '../shared/parts';
import { type Invite as Opened, recorder } from './bridge';
import { Page, TroubleNotice } from './Page';

type Props = { link: string | null; onConsent: (invite: Opened, consent: ConsentText) => void };

/** Paste an invite, see where it leads, and only then connect. */
export function Invite({ link, onConsent }: Props) {
  const [text, setText] = useState(link ?? '');
  const [host, setHost] = useState('');
  const [code, setCode] = useState('');
  const read = useMutation({
    mutationFn: (pasted: string | null) => (pasted !== null ? recorder.readInvite(pasted) : recorder.readTypedInvite(host, code)),
  });
  const connect = useMutation({
    mutationFn: async (invite: Opened) => ({ invite, consent: await recorder.consent(invite.server) }),
    onSuccess: ({ invite, consent }) => onConsent(invite, consent),
  });
  const { mutate } = read;
  useEffect(() => {
    if (link) mutate(link);
  }, [link, mutate]);

  const invite = read.data;
  if (invite) {
    return (
      <Page id="invite-ask" title="Connect to this server?">
        <div className="card stack">
          <span className="muted">Your invite leads to</span>
          <strong className="host" data-testid="invite-host">
            {invite.host}
          </strong>
          <p>Your recordings will be sent there, and only there. Go on only if you know this name from the person who invited you.</p>
          {invite.server.startsWith('http:') ? (
            <Notice tone="info" title="This server runs on this computer.">
              <span>The connection is not encrypted, as it does not leave your computer.</span>
            </Notice>
          ) : null}
        </div>
        <TroubleNotice error={connect.error} />
        <div className="row">
          <Button look="primary" large disabled={connect.isPending} onClick={() => connect.mutate(invite)} data-testid="connect">
            {connect.isPending ? 'Connecting' : 'Connect'}
          </Button>
          <Button look="quiet" large onClick={() => { read.reset(); connect.reset(); }} data-testid="not-this">
            No, go back
          </Button>
        </div>
      </Page>
    );
  }

  const ready = text.trim() !== '' || (host.trim() !== '' && code.trim() !== '');
  return (
    <Page id="invite" title="Welcome" lead="You shop, this program records. To begin, you need the invite that you were sent.">
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) read.mutate(text.trim() !== '' ? text.trim() : null);
        }}
      >
        <div className="card stack">
          <Field id="link" label="Invite link" hint="It begins with collector://invite/. Copy it from your message and paste it here.">
            <input id="link" className="input" value={text} onChange={(event) => setText(event.target.value)} aria-describedby="link-hint" autoComplete="off" spellCheck={false} data-testid="invite-link" />
          </Field>
        </div>
        <details className="card" data-testid="by-hand">
          <summary>I have a server name and a code instead</summary>
          <div className="stack inside">
            <Field id="host" label="Server name" hint="For example collector.example.com">
              <input id="host" className="input" value={host} onChange={(event) => setHost(event.target.value)} aria-describedby="host-hint" autoComplete="off" spellCheck={false} />
            </Field>
            <Field id="code" label="Invite code" hint="It begins with cin_.">
              <input id="code" className="input" value={code} onChange={(event) => setCode(event.target.value)} aria-describedby="code-hint" autoComplete="off" spellCheck={false} />
            </Field>
          </div>
        </details>
        <TroubleNotice error={read.error} />
        <div className="row">
          <Button look="primary" large type="submit" disabled={!ready || read.isPending} data-testid="look">
            Continue
          </Button>
        </div>
        <p className="muted">Nothing is sent yet. You will first see where the invite leads.</p>
      </form>
    </Page>
  );
}
