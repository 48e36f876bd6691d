select id, alias, name, fiverr_user, stage, created_at from worker where id = $1
