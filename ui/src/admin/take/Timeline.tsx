import { type KeyboardEvent, type PointerEvent, useEffect, useMemo, useRef, useState } from 'react';
import type { Mark } from '../../api/types/Mark';
import type { QualityReport } from '../../api/types/QualityReport';
import type { RedactionView } from '../../api/types/RedactionView';
import type { Segment } from '../../api/types/Segment';
import type { Step } from '../../api/types/Step';
import { formatClock, formatDuration, words } from '../../shared/format';
import { Icon } from '../../shared/icons';
import { type Sprite, tileAt } from './artifacts';
import type { Player } from './player';
import { sentenceOf } from './steps';
import { fillLane, lastBegun, shareAt, spanBox, thinPeaks, ticks, timeAt, wavePath } from './timeline';
import { type Redaction, redactedTitle, spanOf } from './useRedaction';

type Props = {
  player: Player;
  steps: Step[];
  segments: Segment[];
  report: QualityReport | null;
  marks: Mark[];
  peaks: number[];
  sprite: Sprite | null;
  spriteUrl: string | undefined;
  redactions: RedactionView[];
  /** Where a stretch is being chosen: dragging chooses it. */
  marking: Redaction | null;
};

const MOST_PEAKS = 600;
/** Later than this there is no room for a label. */
const MOST_LABELLED = 0.965;

export function Timeline(props: Props) {
  const { player, marks, redactions, marking } = props;
  const { duration } = player;
  const plot = useRef<HTMLDivElement>(null);
  const [hover, setHover] = useState<number | null>(null);
  const dragging = useRef(false);
  const began = useRef(0);

  const timeOf = (event: PointerEvent) => {
    const box = plot.current?.getBoundingClientRect();
    return box ? timeAt(event.clientX - box.left, box.width, duration) : 0;
  };
  const move = (event: PointerEvent) => {
    setHover(timeOf(event));
    if (!dragging.current) return;
    player.seek(timeOf(event));
    const span = marking ? spanOf(began.current, timeOf(event)) : null;
    if (span) marking?.setSpan(span);
  };
  const keys = (event: KeyboardEvent) => {
    const by: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageDown: -15, PageUp: 15 };
    const secs = by[event.key];
    if (secs !== undefined) player.skip(secs);
    else if (event.key === 'Home') player.seek(0);
    else if (event.key === 'End') player.seek(duration);
    else return;
    event.preventDefault();
  };
  return (
    <section className="timeline" aria-label="Timeline">
      <div className="lane-names muted" aria-hidden="true">
        <span />
        <span>Speech</span>
        <span>Steps</span>
        <span>Flags</span>
      </div>
      <div
        ref={plot}
        className="plot"
        role="slider"
        tabIndex={0}
        aria-label="Position"
        aria-valuemin={0}
        aria-valuemax={Math.round(duration)}
        aria-valuenow={Math.round(player.time)}
        aria-valuetext={`${formatDuration(player.time)} of ${formatDuration(duration)}`}
        onKeyDown={keys}
        onPointerDown={(event) => {
          dragging.current = true;
          began.current = timeOf(event);
          event.currentTarget.setPointerCapture(event.pointerId);
          player.seek(timeOf(event));
        }}
        onPointerMove={move}
        onPointerUp={() => {
          dragging.current = false;
        }}
        onPointerCancel={() => {
          dragging.current = false;
        }}
        onPointerLeave={() => setHover(null)}
      >
        <Lanes {...props} duration={duration} />
        {marks.map((mark) => (
          <span key={mark.t} className="plot-mark" style={{ left: `${shareAt(mark.t, duration) * 100}%` }} title={mark.text}>
            <Icon name="mark" size={12} />
          </span>
        ))}
        {redactions.map((one) => (
          <span
            key={one.id}
            className={one.done_at === null ? 'redacted-span open' : 'redacted-span'}
            style={spanBox(one.range, duration)}
            title={redactedTitle(one)}
          />
        ))}
        {marking?.span ? <span className="chosen-span" style={spanBox(marking.span, duration)} /> : null}
        <Playhead player={player} />
        {hover === null ? null : <Hover {...props} t={hover} duration={duration} />}
      </div>
    </section>
  );
}

/** What does not move with the playhead; drawn anew only when it changes. */
function Lanes({ steps, segments, report, peaks, duration }: Props & { duration: number }) {
  return useMemo(() => {
    const wave = fillLane(thinPeaks(peaks, MOST_PEAKS));
    const idle = report?.measurements.activity?.idle ?? [];
    const speech = segments.length > 0 ? segments : (report?.measurements.sound?.speech ?? []);
    return (
      <>
        <div className="lane ruler">
          {ticks(duration, 10).map((t) => (
            <span key={t} className="tick numbers" style={{ left: `${shareAt(t, duration) * 100}%` }}>
              {t < duration * MOST_LABELLED ? formatClock(t) : null}
            </span>
          ))}
        </div>
        <div className="lane speech">
          {speech.map((span) => (
            <span key={span.start} className="said-span" style={spanBox(span, duration)} />
          ))}
          {wave.length > 0 ? (
            <svg viewBox={`0 0 ${wave.length - 1} 2`} preserveAspectRatio="none" aria-hidden="true">
              <path d={wavePath(wave)} />
            </svg>
          ) : null}
        </div>
        <div className="lane steps">
          {idle.map((span) => (
            <span key={span.start} className="idle-span" style={spanBox(span, duration)} />
          ))}
          {steps.map((step, index) => (
            <span
              key={`${step.t} ${index}`}
              className={`step-tick ${step.action}`}
              style={{ left: `${shareAt(step.t, duration) * 100}%` }}
            >
              <Icon name={step.action} size={12} />
            </span>
          ))}
        </div>
        <div className="lane flags">
          {(report?.flags ?? []).flatMap((raised) =>
            raised.spans.map((span) => (
              <span
                key={`${raised.flag} ${span.start}`}
                className={`flag-span ${raised.verdict}`}
                style={spanBox(span, duration)}
              />
            )),
          )}
        </div>
      </>
    );
  }, [steps, segments, report, peaks, duration]);
}

/** Moves with the picture, not with the four time updates a second. */
function Playhead({ player }: { player: Player }) {
  const line = useRef<HTMLSpanElement>(null);
  const { video, playing, duration, time } = player;
  useEffect(() => {
    let frame = 0;
    const place = () => {
      const now = video.current?.currentTime ?? time;
      if (line.current) line.current.style.left = `${shareAt(now, duration) * 100}%`;
      if (playing) frame = window.requestAnimationFrame(place);
    };
    place();
    return () => window.cancelAnimationFrame(frame);
  }, [video, playing, duration, time]);
  return <span className="playhead" ref={line} />;
}

function Hover({ t, duration, sprite, spriteUrl, steps, report }: Props & { t: number; duration: number }) {
  const tile = sprite ? tileAt(sprite, t) : null;
  const step = steps[lastBegun(steps.map((one) => one.t), t)];
  const flags = (report?.flags ?? []).filter((raised) => raised.spans.some((span) => t >= span.start && t <= span.end));
  const share = shareAt(t, duration);
  return (
    <>
      <span className="hover-line" style={{ left: `${share * 100}%` }} />
      <div className="hover-card" style={{ left: `clamp(0px, calc(${share * 100}% - 100px), calc(100% - 200px))` }}>
        {tile && spriteUrl ? (
          <span
            className="thumb"
            style={{
              width: tile.width,
              height: tile.height,
              backgroundImage: `url("${spriteUrl}")`,
              backgroundPosition: `-${tile.x}px -${tile.y}px`,
            }}
          />
        ) : null}
        <span className="numbers">{formatClock(t)}</span>
        {step ? <span className="muted">{sentenceOf(step)}</span> : null}
        {flags.map((raised) => (
          <span key={raised.flag} className={raised.verdict === 'reject' ? 'tone-bad' : 'tone-warn'}>
            {words(raised.flag)}
          </span>
        ))}
      </div>
    </>
  );
}
