import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import type { AssignmentItem } from '../api/types/AssignmentItem';
import type { HealthEvent } from '../api/types/HealthEvent';
import { formatBytes, formatClock, formatPercent } from '../shared/format';
import { Button, Loading, Notice, ProgressBar } from '../shared/parts';
import { type Level, recorder, type Take, type Trouble, useNews } from './bridge';
import { Page, TroubleNotice } from './Page';
import { useSettings } from './useSettings';
import { downToPercent, howToPause, spellSecs, withNews } from './words';

type Props = { goal: AssignmentItem; onFinished: (take: Take) => void; onFailed: (trouble: Trouble) => void };

/** A voice below this is hard to hear; at the top the sound is cut off. */
const QUIET_DBFS = -45;
const LOUD_DBFS = -1;
const FLOOR_DBFS = -60;

export function Recording({ goal, onFinished, onFailed }: Props) {
  const [level, setLevel] = useState<Level | null>(null);
  const [health, setHealth] = useState<HealthEvent[]>([]);
  const { settings } = useSettings();
  const stop = useMutation({ mutationFn: recorder.stop });
  const pause = useMutation({ mutationFn: recorder.togglePause });
  useNews('level', setLevel);
  useNews('health', (event) => setHealth((before) => withNews(before, event)));
  useNews('over', (kind) => setHealth((before) => before.filter((event) => event.kind !== kind)));
  useNews('finished', onFinished);
  useNews('failed', onFailed);

  if (stop.isPending || stop.isSuccess) {
    return (
      <Page id="checking" title="Checking your recording">
        <Loading what="Picture and sound are being looked at. This takes a few seconds for each minute." />
      </Page>
    );
  }
  const secs = level?.secs ?? 0;
  const paused = level?.paused ?? false;
  const needed = goal.policy.min_active_secs - secs;
  return (
    <Page id="recording" title={level ? (paused ? 'Paused' : 'Recording') : 'Starting'} lead={goal.goal}>
      <div className="card clock-card">
        <div className="clock numbers" role="timer" aria-label="Recorded so far" data-testid="clock">
          {formatClock(secs)}
        </div>
        <div className="stack tight grow">
          <span data-testid="needed">{needed > 0 ? `Still needed: ${formatClock(Math.ceil(needed))}` : 'Long enough. Stop when you are done.'}</span>
          <ProgressBar share={secs / Math.max(1, goal.policy.min_active_secs)} label={`Of the ${spellSecs(goal.policy.min_active_secs)} needed`} />
          <span className="muted numbers">
            {formatBytes(level?.bytes ?? 0)} on your disk
            {level?.disk_secs != null ? `, room for ${spellSecs(Math.floor(level.disk_secs / 60) * 60)} more` : ''}
          </span>
          {settings?.sends_early ? <span className="muted">It is being sent while you record. You decide at the end whether it is handed in.</span> : null}
          {level?.speech_share != null ? <span className="muted numbers">You spoke for {formatPercent(downToPercent(level.speech_share))} of it</span> : null}
        </div>
      </div>
      <Meter level={level} />
      <div aria-live="polite" className="stack">
        {health.map((event) => (
          <Notice key={`${event.t} ${event.kind}`} tone="warn">
            <span data-testid="health">{event.sentence}</span>
          </Notice>
        ))}
      </div>
      {paused ? (
        <Notice tone="info" title="Paused. Nothing is recorded.">
          <span>Picture, sound and input of this time are not in the file. Go on when you are ready.</span>
        </Notice>
      ) : null}
      <TroubleNotice error={stop.error} />
      <TroubleNotice error={pause.error} />
      <div className="row">
        <Button look="primary" large onClick={() => stop.mutate()} disabled={!level} data-testid="stop">
          Stop recording
        </Button>
        <Button look="quiet" large onClick={() => pause.mutate()} disabled={!level || pause.isPending} data-testid="pause">
          {paused ? 'Go on' : 'Pause'}
        </Button>
      </div>
      <p className="muted" data-testid="how-to-pause">
        You can put this window aside and shop in your browser. Come back here to stop. {level ? howToPause(level.pause_key) : null}
      </p>
    </Page>
  );
}

function Meter({ level }: { level: Level | null }) {
  const peak = level?.peak_dbfs ?? null;
  const share = peak === null ? 0 : (peak - FLOOR_DBFS) / -FLOOR_DBFS;
  const [word, tone] = judge(level, peak);
  return (
    <div className="card meter-card" data-testid="level" data-peak={peak ?? ''}>
      <span>Your voice</span>
      <div className="bar meter" role="meter" aria-label="Loudness of your voice" aria-valuemin={FLOOR_DBFS} aria-valuemax={0} aria-valuenow={Math.round(peak ?? FLOOR_DBFS)} aria-valuetext={word}>
        <span style={{ width: `${Math.round(Math.min(1, Math.max(0, share)) * 100)}%` }} />
      </div>
      <span className={`tone-${tone} level-word`}>{word}</span>
    </div>
  );
}

function judge(level: Level | null, peak: number | null): [string, 'good' | 'warn' | 'plain'] {
  if (!level) return ['Listening', 'plain'];
  if (peak === null) return ['No sound is recorded', 'warn'];
  if (peak > LOUD_DBFS) return ['Too loud', 'warn'];
  if (peak < QUIET_DBFS) return ['Quiet', 'plain'];
  return ['Good', 'good'];
}
