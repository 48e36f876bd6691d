delete from session where admin_id = $1 and substr(id_sha256, 1, 32) = $2
