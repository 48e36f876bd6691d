update submission
set manifest = '{}', report = null, verdict = null, flags = null, duration_secs = null, duplicate_of = null,
    request_sha256 = '', media_removed_at = coalesce(media_removed_at, $2), version = version + 1, updated_at = $2
where id = $1
