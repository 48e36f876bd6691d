insert into history (id, submission_id, at, who, what) values ($1, $2, $3, $4, $5)
