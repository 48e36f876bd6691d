update session set seen_at = $2 where id_sha256 = $1
