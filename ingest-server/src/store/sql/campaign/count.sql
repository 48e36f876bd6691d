select count(*) as found from campaign
