import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { formatClock } from '../shared/format';
import { Button, Field } from '../shared/parts';
import { recorder, type Take } from './bridge';
import { TroubleNotice } from './Page';
import { parseClock } from './words';

type Props = { take: Take; onCut: (take: Take) => void; onBack: () => void };

/** Takes a stretch out of a finished recording. */
export function Cut({ take, onCut, onBack }: Props) {
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const begin = parseClock(from);
  const end = parseClock(to);
  const ready = begin !== null && end !== null && begin < end && begin < take.secs;
  const cut = useMutation({ mutationFn: (range: [number, number]) => recorder.cut(take.id, ...range), onSuccess: onCut });
  return (
    <section className="card stack" aria-label="Cut something out">
      <p>
        Picture, sound and input between the two times are removed for good, and about a second around them. The recording is {formatClock(take.secs)} long.
      </p>
      <div className="pair">
        <Field id="cut-from" label="From" hint="Minutes and seconds, such as 1:05">
          <input id="cut-from" className="input" inputMode="numeric" value={from} onChange={(event) => setFrom(event.target.value)} aria-describedby="cut-from-hint" data-testid="cut-from" />
        </Field>
        <Field id="cut-to" label="To" hint="Later than the first">
          <input id="cut-to" className="input" inputMode="numeric" value={to} onChange={(event) => setTo(event.target.value)} aria-describedby="cut-to-hint" data-testid="cut-to" />
        </Field>
      </div>
      <TroubleNotice error={cut.error} />
      <div className="row">
        <Button look="danger" disabled={!ready || cut.isPending} onClick={() => ready && cut.mutate([begin, end])} data-testid="cut-yes">
          {cut.isPending ? 'Cutting' : 'Cut it out'}
        </Button>
        <Button onClick={onBack}>Keep it</Button>
      </div>
    </section>
  );
}
