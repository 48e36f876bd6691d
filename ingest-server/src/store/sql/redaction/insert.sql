insert into redaction (id, submission_id, covered, who, asked_at, done_at)
values ($1, $2, $3, $4, $5, null)
