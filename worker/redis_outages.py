"""The outages of Redis, which carries jobs, notifications and rate limits: said once, whichever of them notices."""

from db.outage_log import OutageLog

redis_outages = OutageLog("Redis", "photos stay in the database and are sent to the workers later")
