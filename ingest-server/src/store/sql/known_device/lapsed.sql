delete from known_device where seen_at < $1
