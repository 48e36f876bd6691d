insert into submission_file (submission_id, track, upload_id, bytes, sha256, object_key)
values ($1, $2, $3, $4, $5, $6)
