import type { Step } from '../../api/types/Step';
import { formatClock, words } from '../../shared/format';
import { Icon } from '../../shared/icons';
import { Chip, Empty } from '../../shared/parts';
import type { Player } from './player';
import { sentenceOf } from './steps';
import { lastBegun } from './timeline';
import { useFollow } from './useFollow';

type Props = { steps: Step[]; artifacts: { [name in string]?: string }; player: Player };

export function StepsTab({ steps, artifacts, player }: Props) {
  const active = lastBegun(steps.map((one) => one.t), player.time + 0.05);
  const list = useFollow<HTMLOListElement>(active, true);
  if (steps.length === 0) {
    return (
      <Empty title="No Steps were found">
        <span>Nothing the worker did on the screen could be told apart.</span>
      </Empty>
    );
  }
  return (
    <ol className="moments" ref={list}>
      {steps.map((step, index) => (
        <li key={`${step.t} ${index}`}>
          <button
            type="button"
            className="moment"
            aria-current={index === active ? 'true' : undefined}
            onClick={() => player.seek(step.t)}
          >
            <span className="muted numbers">{formatClock(step.t)}</span>
            <span className="step">
              <span className="row step-line">
                <Icon name={step.action} />
                <span className="grow">{sentenceOf(step)}</span>
                {step.intent ? <Chip tone="info">{words(step.intent)}</Chip> : null}
              </span>
              {step.rationale ? <span className="rationale">{step.rationale}</span> : null}
              {index === active ? <Frames step={step} artifacts={artifacts} /> : null}
            </span>
          </button>
        </li>
      ))}
    </ol>
  );
}

function Frames({ step, artifacts }: { step: Step; artifacts: Props['artifacts'] }) {
  const frames = [
    ['Before', step.frame_before],
    ['After', step.frame_after],
  ] as const;
  const shown = frames.flatMap(([name, frame]) => {
    const url = frame === null ? undefined : artifacts[frame];
    return url ? [{ name, url }] : [];
  });
  if (shown.length === 0) return null;
  return (
    <span className="frames">
      {shown.map(({ name, url }) => (
        <span key={name} className="frame">
          <img src={url} alt={`The screen ${name.toLowerCase()} this Step`} loading="lazy" />
          <span className="muted">{name}</span>
        </span>
      ))}
    </span>
  );
}
