update worker set stage = stage where id = $1
