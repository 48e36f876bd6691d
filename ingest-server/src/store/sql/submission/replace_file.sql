update submission_file set bytes = $3, sha256 = $4, object_key = $5 where submission_id = $1 and track = $2
