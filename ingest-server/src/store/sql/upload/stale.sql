select upload.id, worker_id, upload.stage, length_bytes, received_bytes, midstate, sha256, parts, metadata, generation, expires_at
from upload
join worker on worker.id = upload.worker_id
where upload.stage = 'receiving' and (
    expires_at < $1
    or worker.stage in ('banned', 'erased')
    or not exists (
        select 1 from token
        where token.worker_id = upload.worker_id and (token.revoked_at is null or token.revoked_at >= $2)
    )
)
order by expires_at
limit 50
