select submission_id, seq, prints from fingerprint
where seq > $2 and assignment_id <> $1
order by seq
limit $3
