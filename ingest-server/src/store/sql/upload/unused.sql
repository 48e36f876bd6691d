select id, worker_id, stage, length_bytes, received_bytes, midstate, sha256, parts, metadata, generation, expires_at
from upload
where stage = 'ready' and updated_at < $1
    and not exists (select 1 from submission_file where submission_file.upload_id = upload.id)
order by updated_at
limit 200
