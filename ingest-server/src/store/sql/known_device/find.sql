select count(*) as found from known_device where key_sha256 = $1 and seen_at >= $2
