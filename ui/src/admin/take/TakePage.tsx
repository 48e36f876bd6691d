import { useQuery } from '@tanstack/react-query';
import { submissions } from '../../api/admin';
import { FailureNotice } from '../../shared/FailureNotice';
import { Loading } from '../../shared/parts';
import { Take } from './Take';

const LOCK_RENEWED_MILLIS = 5 * 60_000;
/** Until a redaction is made, and what it replaced is gone, the take is asked for again. */
const LOOKED_AT_MILLIS = 4000;

/** Takes the advisory lock first, so that the version that is then read is the one the lock left. */
export function TakePage({ id, me }: { id: string; me: string }) {
  const lock = useQuery({
    queryKey: ['lock', id],
    queryFn: () => submissions.lock(id),
    retry: false,
    gcTime: 0,
    refetchInterval: LOCK_RENEWED_MILLIS,
  });
  const detail = useQuery({
    queryKey: ['submission', id],
    queryFn: () => submissions.get(id),
    enabled: lock.isFetched,
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
    refetchInterval: (shown) => (shown.state.data?.redactions.some((one) => !one.is_gone) ? LOOKED_AT_MILLIS : false),
  });
  if (detail.isPending) return <Loading what="Loading the take" />;
  if (detail.isError) {
    return (
      <div className="page">
        <FailureNotice error={detail.error} onRetry={() => void detail.refetch()} />
      </div>
    );
  }
  const holder = lock.data && lock.data.held_by !== me ? lock.data.held_by : null;
  return <Take take={detail.data} holder={holder} reload={() => detail.refetch()} />;
}
