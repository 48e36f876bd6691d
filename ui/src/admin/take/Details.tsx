import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode, RefObject } from 'react';
import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components';
import type { Mark } from '../../api/types/Mark';
import type { Step } from '../../api/types/Step';
import type { SubmissionDetail } from '../../api/types/SubmissionDetail';
import type { Transcript } from '../../api/types/Transcript';
import { FailureNotice } from '../../shared/FailureNotice';
import { formatWhen } from '../../shared/format';
import { Empty, Loading } from '../../shared/parts';
import { ChecksTab } from './ChecksTab';
import { MarksTab } from './MarksTab';
import type { Player } from './player';
import { StepsTab } from './StepsTab';
import { TranscriptTab } from './TranscriptTab';

export type TabId = 'transcript' | 'steps' | 'checks' | 'marks' | 'history';

type Props = {
  take: SubmissionDetail;
  player: Player;
  transcript: UseQueryResult<Transcript | null>;
  steps: UseQueryResult<Step[] | null>;
  tab: TabId;
  setTab: (tab: TabId) => void;
  searchField: RefObject<HTMLInputElement | null>;
  marks: Mark[];
  setMarks: (marks: Mark[]) => void;
  addMark: () => void;
  /** Index of the mark whose text is to be focused next. */
  focusMark: RefObject<number | null>;
  canMark: boolean;
};

export function Details(props: Props) {
  const { take, player, transcript, steps, tab, setTab, marks } = props;
  const flags = take.report?.flags.length ?? 0;
  return (
    <Tabs className="details" selectedKey={tab} onSelectionChange={(key) => setTab(key as TabId)}>
      <TabList className="tabs" aria-label="About this take">
        <Tab id="transcript">Transcript</Tab>
        <Tab id="steps">Steps</Tab>
        <Tab id="checks">Checks{flags > 0 ? <span className="count">{flags}</span> : null}</Tab>
        <Tab id="marks">Marks{marks.length > 0 ? <span className="count">{marks.length}</span> : null}</Tab>
        <Tab id="history">History</Tab>
      </TabList>
      <TabPanel id="transcript" className="panel">
        <Loaded result={transcript} what="the transcript" absent="This take has no transcript">
          {(data) => <TranscriptTab segments={data.segments} player={player} searchField={props.searchField} />}
        </Loaded>
      </TabPanel>
      <TabPanel id="steps" className="panel">
        <Loaded result={steps} what="the Steps" absent="This take has no Steps">
          {(data) => <StepsTab steps={data} artifacts={take.artifacts} player={player} />}
        </Loaded>
      </TabPanel>
      <TabPanel id="checks" className="panel">
        <ChecksTab report={take.report} seek={player.seek} />
      </TabPanel>
      <TabPanel id="marks" className="panel">
        <MarksTab {...props} seek={player.seek} />
      </TabPanel>
      <TabPanel id="history" className="panel">
        <ol className="history">
          {take.history.map((entry) => (
            <li key={`${entry.at} ${entry.what}`}>
              <span>{entry.what}</span>
              <span className="muted small">
                {formatWhen(entry.at)} · {entry.who}
              </span>
            </li>
          ))}
        </ol>
      </TabPanel>
    </Tabs>
  );
}

type LoadedProps<T> = {
  result: UseQueryResult<T | null>;
  what: string;
  absent: string;
  children: (data: T) => ReactNode;
};

/** One part of the page may be missing or fail while the rest works. */
function Loaded<T>({ result, what, absent, children }: LoadedProps<T>) {
  if (result.isPending) return <Loading what={`Loading ${what}`} />;
  if (result.isError) return <FailureNotice error={result.error} onRetry={() => void result.refetch()} />;
  if (result.data === null) {
    return (
      <Empty title={absent}>
        <span>The rest of the page works without it.</span>
      </Empty>
    );
  }
  return <>{children(result.data)}</>;
}
