delete from condemned where object_key = $1
