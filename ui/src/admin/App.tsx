import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useEffect } from 'react';
import { session } from '../api/admin';
import { asFailure } from '../api/client';
import type { SessionView } from '../api/types/SessionView';
import { FailureNotice } from '../shared/FailureNotice';
import { Button, Empty, Loading } from '../shared/parts';
import { Link, usePlace } from '../shared/router';
import { Audit } from './lists/Audit';
import { Campaigns } from './lists/Campaigns';
import { Invites } from './lists/Invites';
import { Jobs } from './lists/Jobs';
import { Overview } from './lists/Overview';
import { Payouts } from './lists/Payouts';
import { People } from './lists/People';
import { Workers } from './lists/Workers';
import { Queue } from './queue/Queue';
import { Login } from './session/Login';
import { ProofDialog } from './session/ProofDialog';
import { Security } from './session/Security';
import { TakePage } from './take/TakePage';

const SECURITY = '/admin/security';

type Section = { path: string; name: string; adminOnly: boolean; page: (who: SessionView) => ReactNode };

const SECTIONS: readonly Section[] = [
  { path: '/admin', name: 'Review', adminOnly: false, page: () => <Queue /> },
  { path: '/admin/overview', name: 'Overview', adminOnly: true, page: () => <Overview /> },
  { path: '/admin/payouts', name: 'Payouts', adminOnly: true, page: () => <Payouts /> },
  { path: '/admin/campaigns', name: 'Campaigns', adminOnly: true, page: () => <Campaigns /> },
  { path: '/admin/invites', name: 'Invites', adminOnly: true, page: () => <Invites /> },
  { path: '/admin/workers', name: 'Workers', adminOnly: true, page: () => <Workers /> },
  { path: '/admin/jobs', name: 'Jobs', adminOnly: true, page: () => <Jobs /> },
  { path: '/admin/people', name: 'People', adminOnly: true, page: (who) => <People me={who.email} /> },
  { path: '/admin/audit', name: 'Audit log', adminOnly: true, page: () => <Audit /> },
  { path: SECURITY, name: 'Security', adminOnly: false, page: (who) => <Security who={who} /> },
];

const TAKE = /^\/admin\/submissions\/([^/]+)$/;

/** The session, or null for a visitor who is not logged in. */
function useSession() {
  return useQuery<SessionView | null>({
    queryKey: ['session'],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () =>
      session.get().catch((error: unknown) => {
        if (asFailure(error).code === 'unauthenticated') return null;
        throw error;
      }),
  });
}

export function App() {
  const who = useSession();
  if (who.isPending) return <Loading what="Loading" />;
  if (who.isError) {
    return (
      <main className="lonely">
        <FailureNotice error={who.error} onRetry={() => void who.refetch()} />
      </main>
    );
  }
  if (who.data === null) return <Login onDone={() => void who.refetch()} />;
  return <LoggedIn who={who.data} />;
}

function LoggedIn({ who }: { who: SessionView }) {
  const path = usePlace().pathname.replace(/\/+$/, '') || '/admin';
  // Nothing else answers a login that must add its second factor first.
  const wanted = who.must_add_second_factor ? SECURITY : path;
  const take = TAKE.exec(wanted)?.[1];
  const section = SECTIONS.find((one) => one.path === (wanted === '/admin/submissions' ? '/admin' : wanted));
  const title = take ? 'Take' : (section?.name ?? 'Not found');
  useEffect(() => {
    document.title = `${title} · CodeSight Collector`;
  }, [title]);
  return (
    <div className={take ? 'shell whole' : 'shell'}>
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <TopBar who={who} current={take ? '/admin' : wanted} />
      <main id="content" tabIndex={-1}>
        {take ? <TakePage key={take} id={decodeURIComponent(take)} me={who.email} /> : (section?.page(who) ?? <NotFound />)}
      </main>
      <ProofDialog hasSecondFactor={who.has_second_factor} />
    </div>
  );
}

function sectionsFor(who: SessionView) {
  if (who.must_add_second_factor) return SECTIONS.filter(({ path }) => path === SECURITY);
  return SECTIONS.filter((one) => !one.adminOnly || who.role === 'admin');
}

function NotFound() {
  return (
    <Empty title="There is no page at this address">
      <Link href="/admin">Go to the review queue</Link>
    </Empty>
  );
}

function TopBar({ who, current }: { who: SessionView; current: string }) {
  const client = useQueryClient();
  const leave = useMutation({
    mutationFn: session.close,
    onSuccess: () => {
      client.clear();
      void client.invalidateQueries({ queryKey: ['session'] });
      window.location.assign('/admin');
    },
  });
  return (
    <header className="topbar">
      <span className="brand">
        <span className="brand-mark" aria-hidden="true" />
        Collector
      </span>
      <nav aria-label="Sections">
        {sectionsFor(who).map((one) => (
          <Link key={one.path} href={one.path} aria-current={one.path === current ? 'page' : undefined}>
            {one.name}
          </Link>
        ))}
      </nav>
      <span className="muted who">{who.email}</span>
      <Button look="quiet" onClick={() => leave.mutate()} disabled={leave.isPending}>
        Log out
      </Button>
    </header>
  );
}
