select report from submission where id = $1
