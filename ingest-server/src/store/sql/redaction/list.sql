select id, covered, who, asked_at, done_at from redaction where submission_id = $1 order by asked_at desc, id desc
