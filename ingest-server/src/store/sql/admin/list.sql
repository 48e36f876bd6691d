select id, email, role, created_at from admin
where id > coalesce(cast($1 as text), '')
order by id limit $2
