select object_key, is_last from condemned where due_at <= $1 order by due_at, object_key limit $2
