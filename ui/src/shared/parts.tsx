import type { ButtonHTMLAttributes, ReactNode } from 'react';

export type Tone = 'plain' | 'good' | 'warn' | 'bad' | 'info';

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & {
  look?: 'plain' | 'primary' | 'danger' | 'quiet';
  large?: boolean;
};

export function Button({ look = 'plain', large = false, className, type, ...rest }: ButtonProps) {
  const names = ['button', look === 'plain' ? '' : look, large ? 'large' : '', className ?? ''];
  return <button type={type ?? 'button'} className={names.filter(Boolean).join(' ')} {...rest} />;
}

export function Chip({ tone = 'plain', children, title }: { tone?: Tone; children: ReactNode; title?: string | undefined }) {
  return (
    <span className={tone === 'plain' ? 'chip' : `chip ${tone}`} title={title}>
      {children}
    </span>
  );
}

/** What happened (`title`), what it means and what to do next (`children`). Problems are announced at once. */
export function Notice({ tone = 'info', title, children }: { tone?: Tone; title?: string; children?: ReactNode }) {
  return (
    <div className={`notice ${tone}`} role={tone === 'bad' || tone === 'warn' ? 'alert' : 'status'}>
      {title ? <strong>{title}</strong> : null}
      {children}
    </div>
  );
}

export function Loading({ what }: { what: string }) {
  return (
    <div className="placeholder" role="status">
      <span className="spinner" aria-hidden="true" />
      <span>{what}</span>
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="placeholder">
      <strong>{title}</strong>
      {children}
    </div>
  );
}

type FieldProps = { label: string; id: string; hint?: string; problem?: string | null; children: ReactNode };

/** A label above its control; the control carries `id`, and `aria-describedby` of `${id}-hint` where a hint is given. */
export function Field({ label, id, hint, problem, children }: FieldProps) {
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children}
      {hint ? (
        <span className="hint" id={`${id}-hint`}>
          {hint}
        </span>
      ) : null}
      {problem ? (
        <span className="problem" role="alert">
          {problem}
        </span>
      ) : null}
    </div>
  );
}

/** `share` is 0 to 1. */
export function ProgressBar({ share, label }: { share: number; label: string }) {
  const percent = Math.round(Math.min(1, Math.max(0, share)) * 100);
  return (
    <div className="bar" role="progressbar" aria-label={label} aria-valuenow={percent} aria-valuemin={0} aria-valuemax={100}>
      <span style={{ width: `${percent}%` }} />
    </div>
  );
}
