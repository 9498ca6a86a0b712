-- Takes tokens from a bucket, by the generic cell rate algorithm (ITU-T I.371): all that is kept is when the bucket will be full.
--
-- KEYS[1]  the bucket
-- ARGV[1]  how many are wanted
-- ARGV[2]  tokens a second
-- ARGV[3]  most that it holds
-- ARGV[4]  how many must stay in it
--
-- Answers how many were taken, a colon, and in how many microseconds there will be another one. By the server's clock.

local time = redis.call('TIME')
-- Since 2023, so that fractions of a microsecond fit into a double.
local now = (time[1] - 1700000000) * 1000000 + time[2]
local each = 1000000 / ARGV[2]
local deep = each * ARGV[3]
local left = deep - each * ARGV[4]
-- A clock that was set back must not close the bucket for longer than an empty one takes to fill.
local full = math.min(math.max(tonumber(redis.call('GET', KEYS[1]) or now), now), now + deep)

-- The sum of many fractions may miss a whole token by less than a thousandth of it.
local taken = math.max(0, math.min(math.floor((now + left - full) / each + 0.001), tonumber(ARGV[1])))
if taken > 0 then
  full = full + taken * each
  redis.call('SET', KEYS[1], string.format('%.3f', full), 'PX', math.ceil((full - now) / 1000) + 1000)
end
return taken .. ':' .. string.format('%.0f', math.ceil(math.max(0, full + each - left - now)))
