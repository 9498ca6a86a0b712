-- What is held, as a vote.
--
-- KEYS[1]  the key
--
-- Answers the bytes, or nothing.

return redis.call('GET', KEYS[1])
