select scenario.id, scenario.tiers from scenario
where scenario.campaign_id = $1
order by (select count(*) from assignment where assignment.scenario_id = scenario.id), scenario.position
