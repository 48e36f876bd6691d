select seq, at, who, act, subject, what, request_id, before_sha256, sha256 from audit
where seq > $1 order by seq limit $2
