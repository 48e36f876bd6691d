import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { AssignmentItem } from '../api/types/AssignmentItem';
import type { ConsentText } from '../api/types/ConsentText';
import { Button, Loading, Notice } from '../shared/parts';
import { type Discarded, type Invite as Opened, recorder, type Standing, type Take, type Trouble } from './bridge';
import { Consent, ConsentAgain } from './Consent';
import { Goals } from './Goals';
import { Invite } from './Invite';
import { Page, TroubleNotice } from './Page';
import { Ready } from './Ready';
import { Recording } from './Recording';
import { Result } from './Result';
import { Sending } from './Sending';
import { Status } from './Status';
import { useQueue } from './useQueue';

type Screen =
  | { name: 'invite' }
  | { name: 'consent'; invite: Opened; consent: ConsentText }
  | { name: 'consent-again'; then: Screen }
  | { name: 'goals' }
  | { name: 'ready'; goal: AssignmentItem }
  | { name: 'recording'; goal: AssignmentItem }
  | { name: 'result'; take: Take }
  | { name: 'sending' }
  | { name: 'status' };

/** Where the window opens: in the middle of what is under way, at an invite, or at the goals. */
function firstScreen(standing: Standing): Screen {
  if (standing.is_recording) {
    const underWay = standing.takes.find((take) => take.stage === 'capturing');
    if (underWay) return { name: 'recording', goal: underWay.assignment };
  }
  if (standing.invite_link !== null || standing.enrolment === null) return { name: 'invite' };
  return { name: 'goals' };
}

export function App() {
  const queries = useQueryClient();
  const standing = useQuery({ queryKey: ['standing'], queryFn: recorder.standing, refetchOnWindowFocus: false });
  const queue = useQueue();
  // Without an answer, as without a network, the server says so when it is asked for something that needs it.
  const consent = useQuery({ queryKey: ['my_consent'], queryFn: recorder.myConsent, enabled: standing.data?.enrolment != null });
  const [shown, setShown] = useState<Screen | null>(null);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [done, setDone] = useState<string | null>(null);

  if (standing.isPending) return <Loading what="Opening your recordings" />;
  if (standing.error) return <Frame standing={null}><Page id="broken" title="The recorder could not open"><TroubleNotice error={standing.error} onRetry={() => void standing.refetch()} /></Page></Frame>;
  if (standing.data.already_open) {
    return (
      <Frame standing={null}>
        <Page id="already-open" title="The recorder is already open">
          <p>Another window of it has your recordings. Go on there, and close this one.</p>
        </Page>
      </Frame>
    );
  }

  const screen = shown ?? firstScreen(standing.data);
  const go = (to: Screen) => {
    setTrouble(null);
    setDone(null);
    setShown(to);
    for (const key of ['standing', 'goals', 'submissions', 'my_consent']) void queries.invalidateQueries({ queryKey: [key] });
  };
  const learn = (news: Standing, to: Screen) => {
    queries.setQueryData(['standing'], news);
    go(to);
  };
  const record = (goal: AssignmentItem) => {
    const ready: Screen = { name: 'ready', goal };
    go(consent.data?.is_due ? { name: 'consent-again', then: ready } : ready);
  };
  const failed = (why: Trouble) => {
    go({ name: 'goals' });
    setTrouble(why);
  };

  // Who withdrew stays here; who is a stranger to the server now can only follow an invite.
  const left = (news: Standing) => {
    learn(news, news.enrolment === null ? { name: 'invite' } : { name: 'status' });
    setDone(news.enrolment === null ? 'All that the server had of you is erased.' : 'Your consent is withdrawn.');
  };

  const discarded = (news: Discarded) => {
    learn(news.standing, { name: 'goals' });
    setTrouble(news.trouble);
  };

  return (
    <Frame standing={standing.data} screen={screen} waiting={queue?.takes.length ?? 0} onGo={go}>
      <TroubleNotice error={trouble} />
      {done ? <Notice tone="good" title={done} /> : null}
      {screen.name === 'invite' ? <Invite link={standing.data.invite_link} onConsent={(invite, consent) => go({ name: 'consent', invite, consent })} /> : null}
      {screen.name === 'consent' ? <Consent invite={screen.invite} consent={screen.consent} onJoined={(news) => learn(news, { name: 'goals' })} onBack={() => go({ name: 'invite' })} /> : null}
      {screen.name === 'consent-again' ? <ConsentAgain onAgreed={() => go(screen.then)} onBack={() => go({ name: 'goals' })} /> : null}
      {screen.name === 'goals' ? <Goals takes={standing.data.takes} queue={queue} isWithdrawn={consent.data?.is_withdrawn ?? false} onInvite={() => go({ name: 'invite' })} onRecord={record} onTake={(take) => go({ name: 'result', take })} /> : null}
      {screen.name === 'ready' ? <Ready goal={screen.goal} host={standing.data.enrolment?.host ?? ''} onStarted={(goal) => go({ name: 'recording', goal })} onConsent={() => go({ name: 'consent-again', then: screen })} onBack={() => go({ name: 'goals' })} /> : null}
      {screen.name === 'recording' ? <Recording goal={screen.goal} onFinished={(take) => go({ name: 'result', take })} onFailed={failed} /> : null}
      {screen.name === 'result' ? (
        <Result take={screen.take} onSubmitted={() => go({ name: 'sending' })} onAgain={(take) => record(take.assignment)} onCut={(take) => go({ name: 'result', take })} onDiscarded={discarded} />
      ) : null}
      {screen.name === 'sending' ? <Sending queue={queue} isWithdrawn={consent.data?.is_withdrawn ?? false} onConsent={() => go({ name: 'consent-again', then: screen })} onStatus={() => go({ name: 'status' })} onGoals={() => go({ name: 'goals' })} /> : null}
      {screen.name === 'status' ? <Status hasLeft={consent.data?.is_withdrawn ?? false} onRecord={record} onLeft={left} /> : null}
    </Frame>
  );
}

type FrameProps = { standing: Standing | null; screen?: Screen; waiting?: number; onGo?: (to: Screen) => void; children: ReactNode };

/** The head of the window. While a recording runs there is nowhere else to go. */
function Frame({ standing, screen, waiting = 0, onGo, children }: FrameProps) {
  const busy = screen?.name === 'recording';
  return (
    <div className="window">
      <header className="head row spread">
        <span className="brand">CodeSight Recorder</span>
        {standing?.enrolment && onGo && !busy ? (
          <nav className="row" aria-label="Pages">
            <Button look="quiet" aria-current={screen?.name === 'goals' ? 'page' : undefined} onClick={() => onGo({ name: 'goals' })} data-testid="nav-goals">
              Goals
            </Button>
            <Button look="quiet" aria-current={screen?.name === 'sending' ? 'page' : undefined} onClick={() => onGo({ name: 'sending' })} data-testid="nav-sending">
              {waiting > 0 ? `Sending (${waiting})` : 'Sending'}
            </Button>
            <Button look="quiet" aria-current={screen?.name === 'status' ? 'page' : undefined} onClick={() => onGo({ name: 'status' })} data-testid="nav-status">
              Sent in
            </Button>
          </nav>
        ) : null}
      </header>
      <main className="stack">{children}</main>
      {standing?.enrolment ? (
        <footer className="foot muted">Connected to {standing.enrolment.host}</footer>
      ) : null}
    </div>
  );
}
