select stage, version, verdict, rating, media_removed_at from submission where id = $1
