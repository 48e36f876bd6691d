select name from sqlite_master
where type = 'table' and name not like 'sqlite!_%' escape '!' and name not like '!_sqlx!_%' escape '!'
order by name
