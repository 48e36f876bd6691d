select cast(pg_notify('collector_work', '') as text) as rung
