select count(*) as found from information_schema.tables where table_schema = current_schema()
