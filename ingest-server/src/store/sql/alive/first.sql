update alive set at = $2 where id = 1 and at = $1
