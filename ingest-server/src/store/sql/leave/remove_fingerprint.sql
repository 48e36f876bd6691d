delete from fingerprint where submission_id = $1
