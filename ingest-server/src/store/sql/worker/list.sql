select id, alias, name, fiverr_user, stage, created_at from worker
where id > coalesce(cast($1 as text), '')
order by id limit $2
