select stage, version, rating, media_removed_at from submission where id = $1
