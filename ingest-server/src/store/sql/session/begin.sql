insert into session (id_sha256, admin_id, created_at, seen_at, proven_at, address, browser)
values ($1, $2, $3, $3, $3, $4, $5)
