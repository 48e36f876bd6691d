select name, bytes, sha256, object_key
from artifact
join submission on submission.id = artifact.submission_id
where submission_id = $1 and submission.media_removed_at is null
order by name
