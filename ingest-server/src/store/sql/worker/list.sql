select id, alias, name, fiverr_user, stage, created_at from worker
where cast($1 as text) is null or id > cast($1 as text)
order by id limit $2
