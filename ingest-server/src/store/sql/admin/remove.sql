delete from admin where id = $1
