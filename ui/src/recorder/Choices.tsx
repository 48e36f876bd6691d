import { TroubleNotice } from './Page';
import { Speed } from './Speed';
import { useSettings } from './useSettings';

type Props = { host: string; programs: string[] | null; onChoose: () => void };

/** Choices for this and the next recordings: what is never to be seen, and whether to send while recording. */
export function Choices({ host, programs, onChoose }: Props) {
  const { settings, choose: keep, error } = useSettings();
  const choose: typeof keep = (change) => {
    onChoose();
    keep(change);
  };
  if (!settings) return null;
  const hidden = settings.hidden_programs;
  const known = [...new Set([...(programs ?? []), ...hidden])].toSorted((a, b) => a.localeCompare(b));
  const toggle = (program: string, hide: boolean) =>
    choose({ hidden_programs: hide ? [...hidden, program] : hidden.filter((other) => other !== program) });
  const summary = programs === null || hidden.length === 0 ? 'Hide windows' : `Hide windows: ${hidden.join(', ')}`;
  return (
    <section className="card stack" aria-label="Your choices">
      <details data-testid="hide">
        <summary>{summary}</summary>
        <div className="stack tight inside">
          {programs === null ? (
            <p>On this desktop no window can be left out of the picture. Close what is private before you begin.</p>
          ) : (
            <>
              <p>Windows of these programs are painted over in the recording, and nothing that you do in them is kept. Those of password managers always are.</p>
              {known.length === 0 ? <p className="muted">No other program has a window open now.</p> : null}
              {known.map((program) => (
                <label key={program} className="tick">
                  <input type="checkbox" checked={hidden.includes(program)} onChange={(event) => toggle(program, event.target.checked)} data-testid="hide-program" />
                  <span>{program}</span>
                </label>
              ))}
            </>
          )}
        </div>
      </details>
      <div className="stack tight">
        <label className="tick">
          <input type="checkbox" checked={settings.sends_early} onChange={(event) => choose({ sends_early: event.target.checked })} aria-describedby="early-hint" data-testid="sends-early" />
          <span>Send the video while I record</span>
        </label>
        <p className="hint" id="early-hint">
          {settings.sends_early
            ? `The video goes to ${host} while you make it, so that there is little left to wait for at the end. You still decide then: only what you send in is looked at, and what you delete or cut out is deleted there too.`
            : 'Off: nothing leaves this computer until you send the recording in.'}
        </p>
      </div>
      {settings.sends_early ? <Speed /> : null}
      <TroubleNotice error={error} />
    </section>
  );
}
