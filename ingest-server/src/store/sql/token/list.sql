select id, role, name, created_at, revoked_at from token
where cast($1 as text) is null or id > cast($1 as text)
order by id limit $2
