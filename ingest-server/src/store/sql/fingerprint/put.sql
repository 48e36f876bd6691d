insert into fingerprint (submission_id, assignment_id, sha256, prints)
values ($1, $2, $3, $4)
on conflict (submission_id) do nothing
