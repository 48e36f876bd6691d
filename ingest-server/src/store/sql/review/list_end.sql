order by submission.received_at, submission.id
limit $7
