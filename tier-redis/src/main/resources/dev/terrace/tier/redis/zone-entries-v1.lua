-- What all scripts of a zone know about entries. Offsets are those of the envelope, counted from 1: format 1, kind 2, version 3
-- to 18, fresh until 27, stale until 35.

-- Numbers, never strings: Lua compares strings by the server's locale.
local function compare(left, right)
  local a, b, c, d = struct.unpack('>I6I2I4I4', left)
  local e, f, g, h = struct.unpack('>I6I2I4I4', right)
  if a ~= e then return a < e and -1 or 1 end
  if b ~= f then return b < f and -1 or 1 end
  if c ~= g then return c < g and -1 or 1 end
  if d ~= h then return d < h and -1 or 1 end
  return 0
end

local held = redis.call('GETRANGE', KEYS[1], 0, 41)
local format = held:byte(1)

-- 2 to 15 are kept for envelopes of later builds, which must not be overwritten by an old one. Anything else that is not an
-- envelope is rubbish under our key.
local later = format and format > 1 and format < 16
local version = format == 1 and #held == 42 and held:sub(3, 18) or nil
local rubbish = format and not later and not version

local function set(envelope, ttl)
  if ttl == '-1' then
    redis.call('DEL', KEYS[1])
  elseif ttl == '0' then
    redis.call('SET', KEYS[1], envelope)
  else
    redis.call('SET', KEYS[1], envelope, 'PX', ttl)
  end
end

