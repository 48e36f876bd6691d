import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { session } from '../../api/admin';
import { asFailure } from '../../api/client';
import { FailureNotice } from '../../shared/FailureNotice';
import { Button, Field, Notice } from '../../shared/parts';

export function Login({ onDone }: { onDone: () => void }) {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const login = useMutation({
    mutationFn: () => session.open({ email: email.trim(), password, totp: null }),
    onSuccess: onDone,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    login.mutate();
  };
  return (
    <main className="lonely">
      <form className="card login stack" onSubmit={submit}>
        <span className="brand">
          <span className="brand-mark" aria-hidden="true" />
          Collector
        </span>
        <h1>Log in to review</h1>
        {login.isError ? <LoginProblem error={login.error} /> : null}
        <Field id="email" label="E-mail">
          <input
            id="email"
            className="input"
            type="email"
            autoComplete="username"
            required
            autoFocus
            value={email}
            onChange={(event) => setEmail(event.target.value)}
          />
        </Field>
        <Field id="password" label="Password">
          <input
            id="password"
            className="input"
            type="password"
            autoComplete="current-password"
            required
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </Field>
        <Button type="submit" look="primary" disabled={login.isPending}>
          {login.isPending ? 'Logging in' : 'Log in'}
        </Button>
        <p className="muted small">
          No login yet? The one who runs the server makes it with <code>ingest-server admin create</code>.
        </p>
      </form>
    </main>
  );
}

function LoginProblem({ error }: { error: unknown }) {
  if (asFailure(error).code !== 'unauthenticated') return <FailureNotice error={error} />;
  return (
    <Notice tone="bad" title="E-mail and password do not match.">
      <span>Check both, then try again.</span>
    </Notice>
  );
}
