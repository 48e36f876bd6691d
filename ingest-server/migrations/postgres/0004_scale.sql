-- Where the received bytes of an upload lie in a bucket: multipart upload, tags of its parts, tail. Null with a folder.
alter table upload add column parts text;

-- The lists of submissions, oldest first, whatever they are filtered by.
create index submission_by_time on submission (received_at, id);
create index submission_of_worker_by_time on submission (worker_id, received_at, id);
create index submission_of_campaign_by_time on submission (campaign_id, received_at, id);
create index submission_of_campaign_by_stage on submission (campaign_id, stage, received_at, id);
create index payout_of_submission on payout (submission_id);
create index assignment_of_scenario on assignment (scenario_id);
create index session_by_age on session (created_at);
create index session_by_use on session (seen_at);
