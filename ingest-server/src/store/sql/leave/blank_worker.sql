update worker set name = 'erased', fiverr_user = '' where id = $1
