import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type Queue, recorder, useNews } from './bridge';

/** What waits to be sent, as the program tells it. */
export function useQueue(): Queue | undefined {
  const queries = useQueryClient();
  const key = ['queue'];
  const queue = useQuery({ queryKey: key, queryFn: recorder.queue, staleTime: Infinity });
  useNews('queue', (news) => queries.setQueryData(key, news));
  useNews('upload', ([folder, now]) =>
    queries.setQueryData(key, (before: Queue | undefined) => before && { ...before, takes: before.takes.map((take) => ({ ...take, now: take.folder === folder ? now : null })) }),
  );
  useNews('submitted', () => {
    for (const other of ['standing', 'goals', 'submissions']) void queries.invalidateQueries({ queryKey: [other] });
  });
  return queue.data;
}
