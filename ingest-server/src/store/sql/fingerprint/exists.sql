select count(*) as found from fingerprint where submission_id = $1
