insert into absence (began_at, ended_at) values ($1, $2)
on conflict (began_at, ended_at) do nothing
