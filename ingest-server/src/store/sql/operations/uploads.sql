select stage, count(*) as found, cast(coalesce(sum(received_bytes), 0) as bigint) as bytes
from upload where stage in ('receiving', 'assembling', 'ready') group by stage order by stage
