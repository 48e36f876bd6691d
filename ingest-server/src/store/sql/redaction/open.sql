select count(*) as waiting from redaction where submission_id = $1 and done_at is null
