import { useEffect, useRef, useState } from 'react';
import type { Segment } from '../../api/types/Segment';
import { formatClock } from '../../shared/format';
import { Icon } from '../../shared/icons';
import { Button, Notice } from '../../shared/parts';
import type { Player } from './player';
import { lastBegun } from './timeline';

type Props = {
  player: Player;
  url: string | undefined;
  /** Grows when the take gets other files. */
  generation: number;
  segments: Segment[];
  reload: () => Promise<unknown>;
  onHelp: () => void;
  /** Null where nothing can be redacted now. */
  onRedact: (() => void) | null;
};

export function PlayerView({ player, url, generation, segments, reload, onHelp, onRedact }: Props) {
  // Addresses are signed anew with every answer; a playing video keeps the one it began with.
  const [source, setSource] = useState(url);
  const resumeAt = useRef(0);
  const stage = useRef<HTMLDivElement>(null);
  const [captions, setCaptions] = useState(true);

  useEffect(() => {
    if (player.broken || source === undefined) setSource(url);
  }, [url, player.broken, source]);
  const shown = useRef(generation);
  useEffect(() => {
    if (shown.current === generation) return;
    shown.current = generation;
    setSource(url);
  }, [generation, url]);

  const caption = captions ? captionAt(segments, player.time) : null;
  const retry = () => {
    resumeAt.current = player.time;
    void reload();
  };
  return (
    <section className="player" aria-label="Video" ref={stage}>
      <div className="picture">
        <video
          ref={player.video}
          src={source}
          preload="auto"
          playsInline
          tabIndex={-1}
          onClick={player.toggle}
          onLoadedMetadata={() => {
            if (resumeAt.current > 0) player.seek(resumeAt.current);
            resumeAt.current = 0;
          }}
        />
        {caption ? <p className="caption">{caption}</p> : null}
        {source === undefined ? (
          <div className="over-picture">
            <Notice tone="warn" title="There is no playback copy of this take.">
              <span>Transcript and Steps can still be read. A take without a video cannot be accepted.</span>
            </Notice>
          </div>
        ) : null}
        {player.broken && source !== undefined ? (
          <div className="over-picture">
            <Notice tone="bad" title="The video does not play.">
              <span>Its address may have run out, or the file cannot be decoded. Loading it again tells which.</span>
              <Button onClick={retry}>Load it again</Button>
            </Notice>
          </div>
        ) : null}
      </div>
      <div className="controls row">
        <Button look="quiet" className="icon-button" onClick={player.toggle} aria-label={player.playing ? 'Pause' : 'Play'} title="Space">
          <Icon name={player.playing ? 'pause' : 'play'} />
        </Button>
        <Button look="quiet" className="icon-button" onClick={() => player.skip(-5)} aria-label="Back 5 seconds" title="J">
          <Icon name="back" />
        </Button>
        <Button look="quiet" className="icon-button" onClick={() => player.skip(5)} aria-label="Forward 5 seconds" title="L">
          <Icon name="forward" />
        </Button>
        <span className="clock numbers">
          {formatClock(player.time)} <span className="muted">/ {formatClock(player.duration)}</span>
        </span>
        <span className="grow" />
        <span className="row speed" role="group" aria-label="Speed">
          <Button look="quiet" className="icon-button" onClick={() => player.changeSpeed(-1)} aria-label="Slower" title="[">
            −
          </Button>
          <output className="numbers">{player.rate}×</output>
          <Button look="quiet" className="icon-button" onClick={() => player.changeSpeed(1)} aria-label="Faster" title="]">
            +
          </Button>
        </span>
        <Button look="quiet" onClick={onRedact ?? undefined} disabled={onRedact === null} title="Cover a stretch for good">
          Redact
        </Button>
        <Button look="quiet" onClick={() => setCaptions(!captions)} aria-pressed={captions} title="Captions">
          CC
        </Button>
        <Button look="quiet" className="icon-button" onClick={player.toggleSound} aria-pressed={player.muted} aria-label="Mute">
          <Icon name={player.muted ? 'mute' : 'sound'} />
        </Button>
        <Button look="quiet" className="icon-button" aria-label="Whole screen" onClick={() => wholeScreen(stage.current)}>
          <Icon name="whole" />
        </Button>
        <Button look="quiet" className="icon-button" aria-label="Keys" title="?" onClick={onHelp}>
          ?
        </Button>
      </div>
    </section>
  );
}

function wholeScreen(element: HTMLElement | null): void {
  // Refused where the browser forbids it; nothing is lost then.
  const change = document.fullscreenElement ? document.exitFullscreen() : element?.requestFullscreen();
  void change?.catch(() => undefined);
}

/** What is being said; a second longer, so that it can be read. */
function captionAt(segments: Segment[], t: number): string | null {
  const segment = segments[lastBegun(segments.map((one) => one.start), t)];
  return segment && t <= segment.end + 1 ? segment.text : null;
}
