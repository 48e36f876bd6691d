select stage, coalesce(parts, '') as parts from upload where id = $1
