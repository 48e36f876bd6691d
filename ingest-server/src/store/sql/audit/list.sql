select seq, at, who, act, subject, what, request_id, before_sha256, sha256 from audit
where seq < coalesce(cast($1 as bigint), 9223372036854775807)
order by seq desc limit $2
