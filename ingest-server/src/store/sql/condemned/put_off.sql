update condemned set due_at = $2 where object_key = $1 and is_last = $3
