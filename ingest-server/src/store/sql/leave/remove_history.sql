delete from history where submission_id = $1
