select id, worker_id, stage, length_bytes, received_bytes, midstate, sha256, parts, metadata, generation, expires_at
from upload
where id = $1 and worker_id = $2
