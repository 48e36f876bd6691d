select count(*) as items, cast(coalesce(sum(received_bytes), 0) as bigint) as bytes
from upload
where stage = 'ready' and updated_at < $1
    and not exists (select 1 from submission_file where submission_file.upload_id = upload.id)
