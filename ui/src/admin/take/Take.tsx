import { useQuery } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import type { Mark } from '../../api/types/Mark';
import type { SubmissionDetail } from '../../api/types/SubmissionDetail';
import type { Summary } from '../../api/types/Summary';
import type { Transcript } from '../../api/types/Transcript';
import { Notice } from '../../shared/parts';
import { go } from '../../shared/router';
import { loadJson, loadSteps, type Sprite, type Waveform } from './artifacts';
import { DecisionStrip } from './DecisionStrip';
import { acceptAll, addMark, type Draft, emptyDraft, ITEMS, nextAnswer } from './decision';
import { Details, type TabId } from './Details';
import { KeysDialog } from './KeysDialog';
import { type Command, commandOf, focusOf } from './keys';
import { PlayerView } from './PlayerView';
import { usePlayer } from './player';
import { RedactBar } from './RedactBar';
import './take.css';
import './player.css';
import './timeline.css';
import './details.css';
import './decision.css';
import { TakeHead } from './TakeHead';
import { Timeline } from './Timeline';
import { useDecision } from './useDecision';
import { generationOf, isBeingRedacted, useRedaction } from './useRedaction';

/** Files of a take change only where it is redacted, so that they are fetched once until then. */
function useArtifact<T>(take: SubmissionDetail, name: string, load: (url: string | undefined) => Promise<T | null>) {
  return useQuery({
    queryKey: ['artifact', take.id, name, generationOf(take)],
    queryFn: () => load(take.artifacts[name]),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

type Props = { take: SubmissionDetail; holder: string | null; reload: () => Promise<unknown> };

export function Take({ take, holder, reload }: Props) {
  const transcript = useArtifact(take, 'transcript.json', loadJson<Transcript>);
  const steps = useArtifact(take, 'steps.jsonl', loadSteps);
  const summary = useArtifact(take, 'summary.json', loadJson<Summary>);
  const sprite = useArtifact(take, 'sprite.json', loadJson<Sprite>);
  const waveform = useArtifact(take, 'waveform.json', loadJson<Waveform>);

  const player = usePlayer(take.duration_secs ?? 0);
  const [draft, setDraft] = useState<Draft>(() => emptyDraft(take.narration));
  const [tab, setTab] = useState<TabId>('transcript');
  const [helpOpen, setHelpOpen] = useState(false);
  const searchField = useRef<HTMLInputElement>(null);
  const focusMark = useRef<number | null>(null);
  const decision = useDecision(take, draft, reload);
  const redaction = useRedaction(take, reload);

  const setMarks = useCallback((marks: Mark[]) => setDraft((now) => ({ ...now, marks })), []);
  const mark = () => {
    player.video.current?.pause();
    const added = addMark(draft.marks, player.video.current?.currentTime ?? 0);
    focusMark.current = added.index;
    setMarks(added.marks);
    setTab('marks');
  };
  const leave = () => go(take.next_id ? `/admin/submissions/${take.next_id}` : '/admin');

  const run = (command: Command) => {
    switch (command.do) {
      case 'toggle_play':
        return player.toggle();
      case 'skip':
        return player.skip(command.secs);
      case 'speed':
        return player.changeSpeed(command.by);
      case 'help':
        return setHelpOpen(true);
      case 'next':
        return leave();
      case 'search':
        // At once: the next key may already be a letter of the search.
        flushSync(() => setTab('transcript'));
        return searchField.current?.focus();
      default:
        if (decision.open) decide(command);
    }
  };
  const decide = (command: Command) => {
    switch (command.do) {
      case 'rate':
        return setDraft((now) => ({ ...now, rating: command.rating }));
      case 'answer': {
        const asked = ITEMS[command.index];
        if (!asked) return;
        const { item, mayLack } = asked;
        return setDraft((now) => ({
          ...now,
          checklist: { ...now.checklist, [item]: nextAnswer(now.checklist[item], mayLack) },
        }));
      }
      case 'accept':
        return setDraft(acceptAll);
      case 'mark':
        return mark();
      case 'submit':
        return decision.send();
    }
  };

  // The listener stays, what it runs is the latest: state is not read from the time it was added.
  const latest = useRef(run);
  useEffect(() => {
    latest.current = run;
  });
  useEffect(() => {
    if (helpOpen) return;
    let byKeyboard = true;
    const point = () => {
      byKeyboard = false;
    };
    const listen = (event: KeyboardEvent) => {
      if (event.key === 'Tab' || event.key.startsWith('Arrow')) byKeyboard = true;
      const target = event.target instanceof Element ? event.target : null;
      const focus = focusOf(target, byKeyboard);
      if (event.key === 'Escape' && focus === 'writing' && target instanceof HTMLElement) return target.blur();
      const chord = event.ctrlKey || event.metaKey || event.altKey;
      const command = commandOf({ key: event.key, shift: event.shiftKey, chord, focus });
      if (!command || (event.repeat && command.do !== 'skip')) return;
      event.preventDefault();
      // Else the clicked button would be pressed too when the key comes up.
      if (focus === 'none' && target instanceof HTMLElement && target.matches('button, [role=tab]')) target.blur();
      latest.current(command);
    };
    window.addEventListener('pointerdown', point, true);
    window.addEventListener('keydown', listen, true);
    return () => {
      window.removeEventListener('pointerdown', point, true);
      window.removeEventListener('keydown', listen, true);
    };
  }, [helpOpen]);

  return (
    <div className="take">
      <TakeHead take={take} summary={summary.data ?? null} steps={steps.data?.length ?? null} seek={player.seek} />
      {holder ? (
        <Notice tone="warn" title={`${holder} has this take open.`}>
          <span>You can watch it. If both decide, the first decision counts and the other is told.</span>
        </Notice>
      ) : null}
      <div className="take-body">
        <div className="take-left">
          <PlayerView
            player={player}
            url={take.artifacts['playback.mp4']}
            generation={generationOf(take)}
            segments={transcript.data?.segments ?? []}
            reload={reload}
            onHelp={() => setHelpOpen(true)}
            onRedact={isBeingRedacted(take) ? null : redaction.begin}
          />
          <Timeline
            player={player}
            steps={steps.data ?? []}
            segments={transcript.data?.segments ?? []}
            report={take.report}
            marks={draft.marks}
            peaks={waveform.data?.peaks ?? []}
            sprite={sprite.data ?? null}
            spriteUrl={take.artifacts['sprite.jpg']}
            redactions={take.redactions}
            marking={redaction.marking ? redaction : null}
          />
          <RedactBar take={take} player={player} redaction={redaction} />
        </div>
        <Details
          take={take}
          player={player}
          transcript={transcript}
          steps={steps}
          tab={tab}
          setTab={setTab}
          searchField={searchField}
          marks={draft.marks}
          setMarks={setMarks}
          addMark={mark}
          focusMark={focusMark}
          canMark={decision.open}
        />
      </div>
      <DecisionStrip take={take} draft={draft} setDraft={setDraft} decision={decision} leave={leave} addMark={mark} />
      <KeysDialog isOpen={helpOpen} setOpen={setHelpOpen} />
    </div>
  );
}
