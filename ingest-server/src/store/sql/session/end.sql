delete from session where id_sha256 = $1
