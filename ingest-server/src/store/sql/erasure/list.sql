select erasure.id, erasure.worker_id, worker.alias, erasure.asked_at, erasure.due_at, erasure.takes, erasure.bytes, erasure.done_at,
    (select count(*) from payout where payout.worker_id = erasure.worker_id
        and payout.stage in ('accrued', 'approved', 'batched', 'held')) as owed
from erasure
join worker on worker.id = erasure.worker_id
where erasure.id < coalesce(cast($1 as text), 'g')
order by erasure.id desc
limit $2
