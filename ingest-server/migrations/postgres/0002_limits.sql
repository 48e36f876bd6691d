-- When the media of a submission were removed because their time was over.
alter table submission add column media_removed_at bigint;
create index submission_by_change on submission (stage, updated_at);
-- The admin's list of dead jobs, and uploads that nobody handed in.
create index job_by_stage on job (stage, id);
create index upload_by_change on upload (stage, updated_at);
