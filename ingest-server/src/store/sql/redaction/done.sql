update redaction set done_at = $2 where submission_id = $1 and done_at is null
