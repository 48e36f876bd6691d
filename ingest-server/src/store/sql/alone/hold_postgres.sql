select cast(pg_advisory_xact_lock(hashtextextended($1, 0)) as text) as held
