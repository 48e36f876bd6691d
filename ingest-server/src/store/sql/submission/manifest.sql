select manifest from submission where id = $1
