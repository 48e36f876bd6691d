import type { Advice } from '../../api/types/Advice';
import type { QualityReport } from '../../api/types/QualityReport';
import type { RaisedFlag } from '../../api/types/RaisedFlag';
import type { Span } from '../../api/types/Span';
import { formatClock, formatPercent, words } from '../../shared/format';
import { Icon } from '../../shared/icons';
import { Chip, Empty, type Tone } from '../../shared/parts';

type Seek = (t: number) => void;

const TONES: Record<RaisedFlag['verdict'], Tone> = { accept: 'good', review: 'warn', reject: 'bad' };
const MOST_SPANS = 12;

export function ChecksTab({ report, seek }: { report: QualityReport | null; seek: Seek }) {
  if (report === null) {
    return (
      <Empty title="The checks have not run yet">
        <span>This fills in once the take has been inspected.</span>
      </Empty>
    );
  }
  return (
    <div className="checks">
      {report.flags.length === 0 ? (
        <p className="row all-passed">
          <Icon name="check" />
          All checks passed
        </p>
      ) : null}
      {report.flags.map((raised) => (
        <FlagCard key={raised.flag} raised={raised} seek={seek} />
      ))}
      {report.advice.map((advice) => (
        <AdviceCard key={advice.sign} advice={advice} seek={seek} />
      ))}
      <Measured report={report} />
    </div>
  );
}

function FlagCard({ raised, seek }: { raised: RaisedFlag; seek: Seek }) {
  return (
    <section className={`flag-card ${raised.verdict}`} aria-label={words(raised.flag)}>
      <div className="row spread">
        <h3>{words(raised.flag)}</h3>
        <Chip tone={TONES[raised.verdict]}>{raised.verdict}</Chip>
      </div>
      <p>{raised.sentence}</p>
      <Spans spans={raised.spans} seek={seek} />
    </section>
  );
}

/** Advice proves nothing and touches no verdict, so it looks quieter than a flag. */
function AdviceCard({ advice, seek }: { advice: Advice; seek: Seek }) {
  return (
    <section className="flag-card advice" aria-label={words(advice.sign)}>
      <div className="row spread">
        <h3>{words(advice.sign)}</h3>
        <Chip tone="plain">look closer</Chip>
      </div>
      <p>{advice.sentence}</p>
      <Spans spans={advice.spans} seek={seek} />
    </section>
  );
}

/** Where in the take; a press plays from there. */
export function Spans({ spans, seek }: { spans: Span[]; seek: Seek }) {
  if (spans.length === 0) return null;
  const further = spans.length - MOST_SPANS;
  return (
    <ul className="row wrap spans" aria-label="Where">
      {spans.slice(0, MOST_SPANS).map((span) => (
        <li key={span.start}>
          <button type="button" className="chip span numbers" onClick={() => seek(span.start)}>
            {formatClock(span.start)}–{formatClock(span.end)}
          </button>
        </li>
      ))}
      {further > 0 ? <li className="muted">and {further} more</li> : null}
    </ul>
  );
}

const decimal = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

/** The numbers a reviewer asks for; those that could not be taken are left out. */
function Measured({ report }: { report: QualityReport }) {
  const { active_secs, sound, activity, capture, speech } = report.measurements;
  const rows: Array<[string, string | null]> = [
    ['Active time', active_secs === null ? null : formatClock(active_secs)],
    ['Speech', sound ? formatPercent(sound.speech_share) : null],
    ['Voice over noise', sound?.snr_db == null ? null : `${decimal.format(sound.snr_db)} dB`],
    ['Loudest sound', sound ? `${decimal.format(sound.loud_dbfs)} dBFS` : null],
    ['Speech quality, of 5', speech?.dnsmos_overall == null ? null : decimal.format(speech.dnsmos_overall)],
    ['Without input', activity ? formatPercent(activity.idle_share) : null],
    ['Actions', activity ? String(activity.actions) : null],
    ['Read from', activity ? (activity.from_events ? 'input events' : 'the picture') : null],
    ['Manifest', capture ? 'yes' : 'no'],
  ];
  return (
    <dl className="measured">
      {rows
        .filter(([, value]) => value !== null)
        .map(([name, value]) => (
          <div key={name}>
            <dt className="muted">{name}</dt>
            <dd className="numbers">{value}</dd>
          </div>
        ))}
    </dl>
  );
}
