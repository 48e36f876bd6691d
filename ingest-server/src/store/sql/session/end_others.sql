delete from session where admin_id = $1 and id_sha256 <> $2
