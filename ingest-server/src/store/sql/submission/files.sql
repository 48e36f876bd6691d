select track, upload_id, bytes, sha256, object_key from submission_file where submission_id = $1 order by track
