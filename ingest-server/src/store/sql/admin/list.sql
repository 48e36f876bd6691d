select id, email, role, created_at from admin
where cast($1 as text) is null or id > cast($1 as text)
order by id limit $2
