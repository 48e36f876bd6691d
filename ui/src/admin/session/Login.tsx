import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { session } from '../../api/admin';
import { asFailure } from '../../api/client';
import { FailureNotice } from '../../shared/FailureNotice';
import { Button, Field, Notice } from '../../shared/parts';
import { CodeField } from './CodeField';

/** E-mail and password; for a login with a second factor the code after that. */
export function Login({ onDone }: { onDone: () => void }) {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [step, setStep] = useState<'password' | 'code'>('password');
  const login = useMutation({
    mutationFn: (totp: string | null) => session.open({ email: email.trim(), password, totp }),
    onSuccess: onDone,
    onError: (error) => {
      if (asFailure(error).code !== 'code_required') return;
      setCode('');
      setStep('code');
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    login.mutate(step === 'code' ? code : null);
  };
  // The answer to the password alone asks for the code; that is no failure.
  const isFirstAsk = login.variables === null;
  const back = () => {
    login.reset();
    setCode('');
    setStep('password');
  };
  return (
    <main className="lonely">
      <form className="card login stack" onSubmit={submit}>
        <span className="brand">
          <span className="brand-mark" aria-hidden="true" />
          Collector
        </span>
        <h1>{step === 'password' ? 'Log in to review' : 'Your code'}</h1>
        {step === 'password' ? (
          <>
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
          </>
        ) : (
          <>
            {login.isError && !isFirstAsk ? <LoginProblem error={login.error} /> : null}
            <CodeField
              id="code"
              label="Code of your authenticator app"
              hint="Lost the app? Type one of your recovery codes."
              value={code}
              onChange={setCode}
              autoFocus
            />
            <Button type="submit" look="primary" disabled={login.isPending}>
              {login.isPending ? 'Logging in' : 'Log in'}
            </Button>
            <Button look="quiet" onClick={back}>
              Back to e-mail and password
            </Button>
          </>
        )}
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
