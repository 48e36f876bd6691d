update job
set stage = 'cancelled', updated_at = $2
where id = $1 and stage = 'dead'
