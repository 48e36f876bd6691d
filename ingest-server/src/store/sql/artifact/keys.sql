select object_key from artifact where submission_id = $1 order by name
