select id
from job
where stage = 'dead' and (cast($1 as text) is null or kind = cast($1 as text))
    and id > coalesce(cast($2 as text), '')
order by id
limit 100
