import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { secondFactor, session } from '../../api/admin';
import type { SessionView } from '../../api/types/SessionView';
import type { TotpOffer } from '../../api/types/TotpOffer';
import { FailureNotice } from '../../shared/FailureNotice';
import { Button, Chip, Notice } from '../../shared/parts';
import { CodeField } from './CodeField';
import { Logins } from './Logins';

/** Of the ten that were made, so many are few. */
const FEW_CODES = 3;

export function Security({ who }: { who: SessionView }) {
  const client = useQueryClient();
  const refresh = () => void client.invalidateQueries({ queryKey: ['session'] });
  const [codes, setCodes] = useState<string[] | null>(null);
  return (
    <div className="page narrow">
      <div>
        <h1>Security</h1>
        <p className="muted">A second factor keeps your login yours when somebody learns the password.</p>
      </div>
      {who.must_add_second_factor ? (
        <Notice tone="warn" title="This server wants a second factor of every login.">
          <span>Add an authenticator app; everything else opens after that.</span>
        </Notice>
      ) : null}
      {codes ? (
        <Recovery
          codes={codes}
          onDone={() => {
            setCodes(null);
            refresh();
          }}
        />
      ) : who.has_second_factor ? (
        <InUse left={who.recovery_codes} onRemoved={refresh} />
      ) : (
        <Add onAdded={setCodes} />
      )}
      {who.must_add_second_factor ? null : <Logins />}
    </div>
  );
}

function Add({ onAdded }: { onAdded: (codes: string[]) => void }) {
  const offer = useMutation({ mutationFn: secondFactor.offer });
  return (
    <section className="card stack" aria-label="Authenticator app">
      <h2>Authenticator app</h2>
      {offer.data ? (
        <Confirm offer={offer.data} onAdded={onAdded} />
      ) : (
        <>
          <p>Any app for codes by time will do: on the phone, or in your password manager.</p>
          {offer.isError ? <FailureNotice error={offer.error} /> : null}
          <Button look="primary" onClick={() => offer.mutate()} disabled={offer.isPending}>
            Add an app
          </Button>
        </>
      )}
    </section>
  );
}

function Confirm({ offer, onAdded }: { offer: TotpOffer; onAdded: (codes: string[]) => void }) {
  const [code, setCode] = useState('');
  const confirm = useMutation({
    mutationFn: () => secondFactor.confirm(code),
    onSuccess: ({ codes }) => onAdded(codes),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    confirm.mutate();
  };
  return (
    <form className="stack" onSubmit={submit}>
      <p>Scan this with the app, or type the key into it.</p>
      <Qr rows={offer.qr} />
      <p>
        Key: <span className="mono key">{offer.secret.replace(/(.{4})(?=.)/g, '$1 ')}</span> ·{' '}
        <a href={offer.uri}>Open in an app on this device</a>
      </p>
      {confirm.isError ? <FailureNotice error={confirm.error} /> : null}
      <CodeField id="first-code" label="The code that the app shows now" value={code} onChange={setCode} autoFocus />
      <Button type="submit" look="primary" disabled={confirm.isPending}>
        {confirm.isPending ? 'Checking' : 'Take it into use'}
      </Button>
    </form>
  );
}

/** Modules of the code as one path, with the quiet edge that scanners need; black on white in the dark as well. */
function Qr({ rows }: { rows: string[] }) {
  const size = rows.length + 8;
  const path = rows.flatMap((row, y) => [...row].map((on, x) => (on === '1' ? `M${x + 4} ${y + 4}h1v1h-1z` : ''))).join('');
  return (
    <svg className="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label="QR code of the key" shapeRendering="crispEdges">
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}

function Recovery({ codes, onDone }: { codes: string[]; onDone: () => void }) {
  return (
    <section className="card stack" aria-label="Recovery codes">
      <Notice tone="good" title="The app is in use.">
        <span>Each of these codes opens your login once if you lose the app. They are shown this once: print them, or keep them with your passwords.</span>
      </Notice>
      <ul className="recovery mono">
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <Button look="primary" onClick={onDone}>
        I have kept them
      </Button>
    </section>
  );
}

function InUse({ left, onRemoved }: { left: number; onRemoved: () => void }) {
  const [asks, setAsks] = useState(false);
  const remove = useMutation({ mutationFn: secondFactor.remove, onSuccess: onRemoved });
  return (
    <section className="card stack" aria-label="Authenticator app">
      <h2>
        Authenticator app <Chip tone="good">in use</Chip>
      </h2>
      {left < FEW_CODES ? (
        <Notice tone="warn" title={left === 0 ? 'No recovery code is left.' : `Only ${left} of the recovery codes are left.`}>
          <span>Take the app away and add it again for ten new ones.</span>
        </Notice>
      ) : (
        <p className="muted">{left} recovery codes are left.</p>
      )}
      {remove.isError ? <FailureNotice error={remove.error} /> : null}
      {asks ? (
        <Notice tone="bad" title="Take the second factor away?">
          <span>Then the password alone opens this login, and the recovery codes open nothing.</span>
          <div className="row">
            <Button look="danger" onClick={() => remove.mutate()} disabled={remove.isPending}>
              Take away
            </Button>
            <Button onClick={() => setAsks(false)}>Keep it</Button>
          </div>
        </Notice>
      ) : (
        <div>
          <Button onClick={() => setAsks(true)}>Take away</Button>
        </div>
      )}
    </section>
  );
}
