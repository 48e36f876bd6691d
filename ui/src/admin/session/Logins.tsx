import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { session } from '../../api/admin';
import type { LoginView } from '../../api/types/LoginView';
import { FailureNotice } from '../../shared/FailureNotice';
import { formatWhen } from '../../shared/format';
import { Button, Chip, Loading, Notice } from '../../shared/parts';

const LOGINS = ['logins'];

/** Where one is logged in; each ends by itself, and all others at once. */
export function Logins() {
  const client = useQueryClient();
  const logins = useQuery({ queryKey: LOGINS, queryFn: session.logins });
  const onSettled = () => client.invalidateQueries({ queryKey: LOGINS });
  const endOne = useMutation({ mutationFn: session.closeOne, onSettled });
  const endOthers = useMutation({ mutationFn: session.closeOthers, onSettled });
  const failure = endOne.error ?? endOthers.error;
  const items = logins.data?.items ?? [];
  return (
    <section className="card stack" aria-label="Logins">
      <h2>Where you are logged in</h2>
      <p>A login ends after half an hour without use, and after twelve hours in any case.</p>
      {logins.isPending ? <Loading what="Loading your logins" /> : null}
      {logins.isError ? <FailureNotice error={logins.error} onRetry={() => void logins.refetch()} /> : null}
      {failure ? <FailureNotice error={failure} /> : null}
      <ul className="stack logins">
        {items.map((login) => (
          <li key={login.id} className="row">
            <span>
              {login.browser || 'A program that does not say its name'}, from {place(login)}
              <br />
              <span className="muted">
                since {formatWhen(login.began_at)}, used {formatWhen(login.seen_at)}
              </span>
            </span>
            {login.is_this ? (
              <Chip tone="good">this one</Chip>
            ) : (
              <Button
                onClick={() => endOne.mutate(login.id)}
                disabled={endOne.isPending}
                aria-label={`End the login from ${place(login)}, since ${formatWhen(login.began_at)}`}
              >
                End
              </Button>
            )}
          </li>
        ))}
      </ul>
      {endOthers.isSuccess ? <Notice tone="good">You are logged in here alone now.</Notice> : null}
      <div>
        <Button onClick={() => endOthers.mutate()} disabled={endOthers.isPending}>
          Log out everywhere else
        </Button>
      </div>
    </section>
  );
}

function place(login: LoginView): string {
  return login.address === 'here' ? "the server's own machine" : login.address || 'an unknown address';
}
