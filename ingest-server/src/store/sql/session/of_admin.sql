select id_sha256, created_at, seen_at, address, browser from session
where admin_id = $1 and created_at >= $2 and seen_at >= $3
order by seen_at desc, id_sha256
limit 200
