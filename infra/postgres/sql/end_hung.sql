-- Ends the consumers that have been silent for too long in the middle of a COPY, and tells how many. A server does not
-- count that as idle, so it would wait for them without end, and others for what they have locked. For the role that
-- the sessions were opened with: the service role may neither see nor end them.
SELECT count(pg_terminate_backend(pid))
  FROM pg_stat_activity
 WHERE datname = current_database() AND application_name = %(name)s
   AND state = 'active' AND wait_event = 'ClientRead' AND query LIKE 'COPY %%'
   AND state_change < now() - %(silent)s::interval
