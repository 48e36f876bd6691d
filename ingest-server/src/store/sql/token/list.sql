select id, role, name, created_at, revoked_at from token
where id > coalesce(cast($1 as text), '')
order by id limit $2
