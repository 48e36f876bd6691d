insert into fingerprint (submission_id, assignment_id, sha256, prints, seq)
select $1, $2, $3, $4, coalesce(max(seq), 0) + 1 from fingerprint where true
on conflict (submission_id) do nothing
