update upload set stage = 'terminated', updated_at = $2, generation = generation + 1 where id = $1 and stage = 'ready'
