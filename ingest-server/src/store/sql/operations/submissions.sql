select stage, count(*) as found from submission group by stage order by stage
