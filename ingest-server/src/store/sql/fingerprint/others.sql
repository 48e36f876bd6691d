select submission_id, prints from fingerprint where assignment_id <> $1
