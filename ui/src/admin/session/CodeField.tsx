import { Field } from '../../shared/parts';

type Props = { id: string; label: string; hint?: string; value: string; onChange: (value: string) => void; autoFocus?: boolean };

/** Where the code of an authenticator app is typed; phones show digits first, and password managers fill it. */
export function CodeField({ id, label, hint, value, onChange, autoFocus = false }: Props) {
  return (
    <Field id={id} label={label} {...(hint ? { hint } : {})}>
      <input
        id={id}
        className="input mono"
        autoComplete="one-time-code"
        autoCapitalize="characters"
        spellCheck={false}
        required
        autoFocus={autoFocus}
        aria-describedby={hint ? `${id}-hint` : undefined}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </Field>
  );
}
