-- Version 2: verdicts. They are rows of the table contexts, of the kinds 2 and 3, and sessions count what was refused.

ALTER TABLE sessions ADD COLUMN refused BIGINT DEFAULT 0;
