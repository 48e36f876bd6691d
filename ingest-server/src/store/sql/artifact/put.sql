insert into artifact (submission_id, name, job_id, bytes, sha256, object_key)
values ($1, $2, $3, $4, $5, $6)
on conflict (submission_id, name) do update
set job_id = excluded.job_id, bytes = excluded.bytes, sha256 = excluded.sha256, object_key = excluded.object_key
