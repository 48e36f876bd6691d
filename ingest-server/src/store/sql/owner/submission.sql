select 'known' as what, '' as object_key from submission where id = $1
union all
select 'all', '' from submission where id = $1 and media_removed_at is null
