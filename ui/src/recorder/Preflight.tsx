import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import type { AssignmentItem } from '../api/types/AssignmentItem';
import { Button, Loading } from '../shared/parts';
import { type Finding, type MicWish, recorder } from './bridge';
import { TroubleNotice } from './Page';

type Props = { goal: AssignmentItem; screen: string | null; microphone: MicWish | null };

/** Tries everything a take needs before it begins, and lets the worker hear the microphone. */
export function Preflight({ goal, screen, microphone }: Props) {
  const [sound, setSound] = useState<string | null>(null);
  const check = useMutation({ mutationFn: (chosen: string) => recorder.preflight(goal, chosen) });
  const listen = useMutation({
    mutationFn: (chosen: MicWish) => recorder.listen(chosen),
    onSuccess: ({ wav }) => setSound(wav.length > 0 ? URL.createObjectURL(new Blob([new Uint8Array(wav)], { type: 'audio/wav' })) : null),
  });
  useEffect(() => () => (sound ? URL.revokeObjectURL(sound) : undefined), [sound]);
  const findings = [...(check.data ?? []), ...(listen.data ? [listen.data.finding] : [])];
  const list = useRef<HTMLUListElement>(null);
  // The button is often the last thing in sight, and what it found lies below.
  useEffect(() => {
    if (findings.length > 0) list.current?.scrollIntoView({ block: 'nearest' });
  }, [findings.length]);
  return (
    <section className="card stack tight" aria-label="Check before you begin">
      <div className="row wrap">
        <Button disabled={screen === null || check.isPending} onClick={() => screen !== null && check.mutate(screen)} data-testid="preflight">
          Check screen, mouse and keyboard, disk and network
        </Button>
        <Button disabled={microphone === null || listen.isPending} onClick={() => microphone !== null && listen.mutate(microphone)} data-testid="listen">
          Try the microphone
        </Button>
      </div>
      {listen.isPending ? <Loading what="Say something. The microphone is listened to for five seconds" /> : null}
      <TroubleNotice error={check.error ?? listen.error} />
      <ul ref={list} className="flags" aria-live="polite" aria-label="What was found">
        {findings.map((finding) => (
          <Found key={finding.part} finding={finding} />
        ))}
      </ul>
      {sound ? <audio controls src={sound} aria-label="What the microphone heard" /> : null}
    </section>
  );
}

function Found({ finding }: { finding: Finding }) {
  return (
    <li data-testid="finding" data-part={finding.part} data-well={finding.is_well}>
      <span className={finding.is_well ? 'tone-good' : 'tone-warn'}>{finding.is_well ? 'Good: ' : 'Please note: '}</span>
      {finding.sentence}
    </li>
  );
}
