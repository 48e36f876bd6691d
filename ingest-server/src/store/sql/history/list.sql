select at, who, what from history where submission_id = $1 order by at desc, id desc
