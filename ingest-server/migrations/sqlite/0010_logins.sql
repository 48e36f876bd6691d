-- Where a login was begun, so that its person knows it again in the list of their own.
alter table session add column address text not null default '';
alter table session add column browser text not null default '';
