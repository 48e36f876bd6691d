delete from redaction where submission_id = $1
