select seq, at, who, act, subject, what, request_id, before_sha256, sha256 from audit
where cast($1 as bigint) is null or seq < cast($1 as bigint)
order by seq desc limit $2
