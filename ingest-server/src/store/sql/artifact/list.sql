select name, bytes, sha256, object_key from artifact where submission_id = $1 order by name
