import { Field } from '../shared/parts';
import { TroubleNotice } from './Page';
import { useSettings } from './useSettings';
import { speeds } from './words';

const FASTEST = 'fastest';

/** How much of the line sending may use; it counts at once, and for all recordings together. */
export function Speed() {
  const { settings, choose, error } = useSettings();
  if (!settings) return null;
  const chosen = settings.upload_bytes_per_sec;
  const known = speeds.some((speed) => speed.bytes === chosen);
  return (
    <div className="stack tight">
      <Field id="speed" label="How fast recordings are sent" hint="Choose less when others use your internet at the same time, or when pages load slowly while you record.">
        <select
          id="speed"
          className="input"
          value={chosen ?? FASTEST}
          onChange={(event) => choose({ upload_bytes_per_sec: event.target.value === FASTEST ? null : Number(event.target.value) })}
          aria-describedby="speed-hint"
          data-testid="speed"
        >
          {speeds.map(({ bytes, words }) => (
            <option key={words} value={bytes ?? FASTEST}>
              {words}
            </option>
          ))}
          {known || chosen === null ? null : <option value={chosen}>{`${chosen / 1000} kB a second`}</option>}
        </select>
      </Field>
      <TroubleNotice error={error} />
    </div>
  );
}
