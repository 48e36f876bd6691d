update session set proven_at = $2 where id_sha256 = $1
