delete from condemned where object_key = $1 and is_last = 1
