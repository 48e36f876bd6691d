select worker.stage, (select consent.version from consent where consent.worker_id = worker.id and consent.withdrawn_at is null
    order by consent.received_at desc, consent.id desc limit 1) as version
from worker
where worker.id = $1
