import { type RefObject, useEffect, useRef } from 'react';
import type { Mark } from '../../api/types/Mark';
import { formatClock } from '../../shared/format';
import { Icon } from '../../shared/icons';
import { Button, Empty } from '../../shared/parts';

type Props = {
  marks: Mark[];
  setMarks: (marks: Mark[]) => void;
  addMark: () => void;
  focusMark: RefObject<number | null>;
  seek: (t: number) => void;
  canMark: boolean;
};

/** Notes at moments, sent to the worker with the decision. */
export function MarksTab({ marks, setMarks, addMark, focusMark, seek, canMark }: Props) {
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    if (focusMark.current === null) return;
    list.current?.querySelectorAll('input')[focusMark.current]?.focus();
    focusMark.current = null;
  });
  if (!canMark) return <Empty title="This take waits for no decision" />;
  return (
    <div className="stack">
      <p className="muted small">The worker sees these with your note. Marks without text are not sent.</p>
      <ol className="marks" ref={list}>
        {marks.map((mark, index) => (
          <li key={mark.t} className="row">
            <button type="button" className="chip span numbers" onClick={() => seek(mark.t)}>
              {formatClock(mark.t)}
            </button>
            <input
              className="input grow"
              aria-label={`Note at ${formatClock(mark.t)}`}
              placeholder="What should the worker see here?"
              maxLength={500}
              value={mark.text}
              onChange={(event) => setMarks(marks.map((one, at) => (at === index ? { ...one, text: event.target.value } : one)))}
              onKeyDown={(event) => {
                if (event.key === 'Enter') event.currentTarget.blur();
              }}
            />
            <Button
              look="quiet"
              className="icon-button"
              aria-label={`Remove the mark at ${formatClock(mark.t)}`}
              onClick={() => setMarks(marks.filter((_, at) => at !== index))}
            >
              <Icon name="close" size={12} />
            </Button>
          </li>
        ))}
      </ol>
      <div>
        <Button onClick={addMark}>
          <Icon name="mark" size={14} />
          Mark this moment <kbd>M</kbd>
        </Button>
      </div>
    </div>
  );
}
