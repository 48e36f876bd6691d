select began_at, ended_at from absence order by began_at
