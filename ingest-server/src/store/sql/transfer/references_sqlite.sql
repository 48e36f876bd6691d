select distinct "table" as name from pragma_foreign_key_list($1) where "table" <> $1
