delete from submission_file where submission_id = $1
