update job set stage = stage where id = $1
