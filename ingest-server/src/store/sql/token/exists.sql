select count(*) as found from token where id = $1
