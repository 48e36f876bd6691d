update worker set stage = $3 where id = $1 and stage = $2
