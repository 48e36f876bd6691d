update submission
set media_removed_at = $2, version = version + 1
where id = $1 and media_removed_at is null and updated_at < $3 and stage in ($4, $5, $6, $7, $8, $9)
