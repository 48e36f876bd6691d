select kind, stage, count(*) as found from job group by kind, stage order by kind, stage
