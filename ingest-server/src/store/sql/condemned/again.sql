update condemned set due_at = $2, is_last = 1 where object_key = $1
