import { type RefObject, useState } from 'react';
import type { Segment } from '../../api/types/Segment';
import { formatClock } from '../../shared/format';
import { Empty } from '../../shared/parts';
import type { Player } from './player';
import { lastBegun } from './timeline';
import { useFollow } from './useFollow';

type Props = { segments: Segment[]; player: Player; searchField: RefObject<HTMLInputElement | null> };

export function TranscriptTab({ segments, player, searchField }: Props) {
  const [search, setSearch] = useState('');
  const wanted = search.trim().toLowerCase();
  const shown = wanted === '' ? segments : segments.filter((one) => one.text.toLowerCase().includes(wanted));
  const active = lastBegun(shown.map((one) => one.start), player.time + 0.05);
  const list = useFollow<HTMLOListElement>(active, wanted === '');
  if (segments.length === 0) {
    return (
      <Empty title="Nothing was said">
        <span>The speech recogniser heard no words in this take.</span>
      </Empty>
    );
  }
  return (
    <>
      <div className="search row">
        <input
          ref={searchField}
          type="search"
          className="input grow"
          placeholder="Search what was said"
          aria-label="Search the transcript"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && shown[0]) player.seek(shown[0].start);
          }}
        />
        {wanted === '' ? <kbd>/</kbd> : <span className="muted numbers small">{shown.length} found</span>}
      </div>
      <ol className="moments" ref={list}>
        {shown.map((segment, index) => (
          <li key={segment.start}>
            <button
              type="button"
              className="moment"
              aria-current={index === active ? 'true' : undefined}
              onClick={() => player.seek(segment.start)}
            >
              <span className="muted numbers">{formatClock(segment.start)}</span>
              <span>{highlight(segment.text, wanted)}</span>
            </button>
          </li>
        ))}
      </ol>
    </>
  );
}

function highlight(text: string, wanted: string) {
  const at = wanted === '' ? -1 : text.toLowerCase().indexOf(wanted);
  if (at < 0) return text;
  return (
    <>
      {text.slice(0, at)}
      <mark>{text.slice(at, at + wanted.length)}</mark>
      {text.slice(at + wanted.length)}
    </>
  );
}
