select email from admin where id = $1
