select id from job where submission_id = $1 and stage in ('queued', 'leased', 'dead') order by id
