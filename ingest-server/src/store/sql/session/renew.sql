update session set id_sha256 = $2 where id_sha256 = $1
