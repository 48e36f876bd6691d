update submission
set stage = $3, version = version + 1, report = coalesce(cast($4 as text), report),
    verdict = coalesce(cast($5 as text), verdict), flags = coalesce(cast($6 as text), flags),
    duration_secs = coalesce(cast(cast($7 as text) as double precision), duration_secs),
    duplicate_of = coalesce(cast($8 as text), duplicate_of), rating = coalesce(cast($9 as bigint), rating), updated_at = $10
where id = $1 and version = $2
