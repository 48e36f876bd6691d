select 1 as found from condemned where object_key = $1
