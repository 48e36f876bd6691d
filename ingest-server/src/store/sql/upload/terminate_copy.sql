update upload set stage = 'terminated', updated_at = $3, generation = generation + 1
where id = $1 and generation = $2 and stage = 'ready'
