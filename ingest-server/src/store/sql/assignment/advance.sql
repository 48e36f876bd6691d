update assignment set stage = $3, expires_at = cast($4 as bigint), problem = coalesce(cast($5 as text), problem), updated_at = $6
where id = $1 and stage = $2
