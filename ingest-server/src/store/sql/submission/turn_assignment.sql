update assignment set stage = $3, updated_at = $4 where id = $1 and stage = $2
