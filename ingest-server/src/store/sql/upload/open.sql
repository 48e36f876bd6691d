select count(*) as held,
    cast(coalesce(sum(case when worker_id = $1 then 1 else 0 end), 0) as bigint) as own,
    cast(coalesce(sum(coalesce(length_bytes, received_bytes) - received_bytes), 0) as bigint) as awaited
from upload
where stage in ('receiving', 'assembling')
