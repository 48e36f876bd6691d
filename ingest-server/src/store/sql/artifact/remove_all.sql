delete from artifact where submission_id = $1
