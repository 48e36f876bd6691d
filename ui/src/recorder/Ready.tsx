import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { AssignmentItem } from '../api/types/AssignmentItem';
import { Button, Field, Loading, Notice } from '../shared/parts';
import { type MicWish, recorder, type Screen, wantsConsent } from './bridge';
import { Choices } from './Choices';
import { choices, inForce, valueOf } from './microphones';
import { Page, TroubleNotice } from './Page';
import { Preflight } from './Preflight';
import { useSettings } from './useSettings';
import { spellSecs } from './words';

type Props = { goal: AssignmentItem; host: string; onConsent: () => void; onStarted: (goal: AssignmentItem) => void; onBack: () => void };

const WINDOW_HINT = 'This window alone. What lies in front of it is painted over; choose the whole screen if your shopping opens other windows.';
const UNPLUGGED_HINT = 'The microphone that you chose is not plugged in. Plug it in again, or go on with this one.';
const SYSTEM: MicWish = { kind: 'system' };

export function Ready({ goal, host, onConsent, onStarted, onBack }: Props) {
  const devices = useQuery({ queryKey: ['devices'], queryFn: recorder.devices, gcTime: 0 });
  const [screenChosen, setScreen] = useState<string | null>(null);
  const { settings, choose } = useSettings();
  const [isSilent, setSilent] = useState(false);
  const screens = devices.data?.screens ?? [];
  const windows = devices.data?.windows ?? [];
  const offered = choices(devices.data?.microphones ?? []);
  const wanted = isSilent ? null : (settings?.microphone ?? SYSTEM);
  const microphone = inForce(offered, wanted);
  const isUnplugged = microphone.wish !== null && microphone.value !== valueOf(wanted);
  const want = (value: string) => {
    const wish = offered.find((one) => one.value === value)?.wish ?? null;
    setSilent(wish === null);
    if (wish !== null) choose({ microphone: wish });
  };
  // A window that was closed since is no choice any more.
  const isThere = [...screens, ...windows].some((one) => one.id === screenChosen);
  const screen = (isThere ? screenChosen : null) ?? (screens.find((one) => one.primary) ?? screens[0])?.id ?? null;
  const isWindow = windows.some((one) => one.id === screen);
  const start = useMutation({
    mutationFn: async (chosen: string) => {
      const mine = goal.stage === 'open' ? await recorder.claim(goal.id) : goal;
      await recorder.start(mine, chosen, microphone.wish);
      return mine;
    },
    onSuccess: onStarted,
    onError: (error) => wantsConsent(error) && onConsent(),
  });
  return (
    <Page id="ready" title="Ready to record?">
      <div className="card stack tight">
        <span className="muted">Your goal</span>
        <h2 data-testid="ready-goal">{goal.goal}</h2>
        <ul className="advice">
          <li>Shop as you would for yourself, for at least {spellSecs(goal.policy.min_active_secs)}.</li>
          <li>{goal.policy.narration === 'none' ? 'You may say aloud what you think.' : 'Say aloud what you think: what you look for, what you like, why you decide.'}</li>
          <li>Close what is private. All that can be seen on the chosen screen or in the chosen window is recorded. Do not log in and do not pay.</li>
        </ul>
      </div>
      {devices.isPending ? <Loading what="Looking for screens and microphones" /> : null}
      <TroubleNotice error={devices.error} onRetry={() => void devices.refetch()} />
      {devices.data?.problems.map((problem) => <TroubleNotice key={problem.what} error={problem} onRetry={() => void devices.refetch()} />)}
      {devices.data ? (
        <div className="card pair">
          <Field id="screen" label="What is recorded" {...(isWindow ? { hint: WINDOW_HINT } : {})}>
            <select
              id="screen"
              className="input"
              value={screen ?? ''}
              onFocus={() => void devices.refetch()}
              onChange={(event) => {
                setScreen(event.target.value);
                start.reset();
              }}
              aria-describedby={isWindow ? 'screen-hint' : undefined}
              data-testid="screen"
            >
              <optgroup label="A whole screen">{screens.map(choice)}</optgroup>
              {windows.length > 0 ? <optgroup label="One window alone">{windows.map(choice)}</optgroup> : null}
            </select>
          </Field>
          <Field id="microphone" label="Microphone" {...(isUnplugged ? { hint: UNPLUGGED_HINT } : {})}>
            <select
              id="microphone"
              className="input"
              value={microphone.value}
              onFocus={() => void devices.refetch()}
              onChange={(event) => want(event.target.value)}
              aria-describedby={isUnplugged ? 'microphone-hint' : undefined}
              data-testid="microphone"
            >
              {offered.map((one) => (
                <option key={one.value} value={one.value}>
                  {one.name}
                </option>
              ))}
            </select>
          </Field>
        </div>
      ) : null}
      {devices.data?.disk_secs != null ? <Room secs={devices.data.disk_secs} neededSecs={2 * goal.policy.min_active_secs} /> : null}
      {devices.data ? <Choices host={host} programs={devices.data.programs} onChoose={start.reset} /> : null}
      {devices.data ? <Preflight goal={goal} screen={screen} microphone={microphone.wish} /> : null}
      {devices.data && microphone.wish === null && goal.policy.narration !== 'none' ? (
        <Notice tone="warn" title="Without sound this recording will come back to you.">
          <span>This goal asks you to think aloud. Choose a microphone.</span>
        </Notice>
      ) : null}
      <TroubleNotice error={start.error} />
      <div className="row">
        <Button look="primary" large disabled={screen === null || start.isPending} onClick={() => screen !== null && start.mutate(screen)} data-testid="start">
          {start.isPending ? 'Starting' : 'Start recording'}
        </Button>
        <Button look="quiet" large onClick={onBack}>
          Go back
        </Button>
      </div>
    </Page>
  );
}

/** How much fits on the disk, nothing where a recording would be refused; a warning where that is less than twice what is asked for. */
function Room({ secs, neededSecs }: { secs: number; neededSecs: number }) {
  const room = spellSecs(Math.floor(secs / 60) * 60);
  return (
    <div data-testid="room" data-secs={secs}>
      {secs < neededSecs ? (
        <Notice tone="warn" title={secs > 0 ? `Your disk has room for ${room} of recording only.` : 'Your disk has no room for a recording.'}>
          <span>Free some space before you begin.</span>
        </Notice>
      ) : (
        <p className="muted">Your disk has room for {room} of recording.</p>
      )}
    </div>
  );
}

function choice(one: Screen) {
  return (
    <option key={one.id} value={one.id}>
      {one.name}{one.width > 0 ? ` (${one.width} × ${one.height})` : ''}{one.primary ? ', main screen' : ''}
    </option>
  );
}
