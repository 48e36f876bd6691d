select count(*) as bound from submission_file where upload_id = $1
