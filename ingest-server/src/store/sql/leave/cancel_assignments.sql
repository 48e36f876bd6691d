update assignment
set stage = 'cancelled', expires_at = null, updated_at = $2
where worker_id = $1 and stage in ('open', 'reserved', 'recording', 'submitted', 'redo', 'problem')
