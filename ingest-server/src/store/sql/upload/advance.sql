update upload
set received_bytes = $3, midstate = $4, length_bytes = cast($5 as bigint), stage = $6, sha256 = cast($7 as text),
    expires_at = $8, updated_at = $9, parts = cast($10 as text), generation = generation + 1
where id = $1 and generation = $2 and stage = 'receiving'
