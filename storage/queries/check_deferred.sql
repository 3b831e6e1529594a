-- Checks now what somebody's constraint would check at the commit, and from
-- here on at once.
SET CONSTRAINTS ALL IMMEDIATE
