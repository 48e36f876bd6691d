select submission.id, cast(coalesce((select sum(bytes) from submission_file where submission_id = submission.id), 0)
    + coalesce((select sum(bytes) from artifact where submission_id = submission.id), 0) as bigint) as bytes
from submission
where media_removed_at is null and updated_at < $1 and stage in ($2, $3, $4, $5, $6, $7)
    and id > coalesce(cast($8 as text), '')
order by id
limit 200
