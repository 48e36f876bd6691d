insert into audit (seq, at, who, act, subject, what, request_id, before_sha256, sha256)
values ($1, $2, $3, $4, $5, $6, cast($7 as text), $8, $9)
