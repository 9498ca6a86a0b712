-- Stores an envelope if a condition holds, as one step.
--
-- KEYS[1]  the key
-- ARGV[1]  condition: N if newer, A if absent, V if version, U if newer and unchanged
-- ARGV[2]  the envelope
-- ARGV[3]  time to live in milliseconds; 0 for ever; -1 it is over already
-- ARGV[4]  now, milliseconds since the epoch, by the caller's clock
-- ARGV[5]  for V: the expected version, 16 bytes; for U: the version that was seen, or none
--
-- Answers: 'A' applied; 'S' and 16 bytes: superseded by that version; 'N' superseded, nothing held; 'F' a format of
-- another build is held.
--
-- Offsets are those of the envelope (first byte is 1 here): format 1, kind 2, version 3-18, fresh until 27, stale until 35.

local held = redis.call('GETRANGE', KEYS[1], 0, 41)
local format = held:byte(1)

-- 2 to 15 are kept for envelopes of later builds, which must not be overwritten by an old one. Anything else that is not
-- an envelope is rubbish under our key.
if format and format > 1 and format < 16 then
  return 'F'
end

local known = #held == 42 and format == 1
local now = tonumber(ARGV[4])
local live = known and struct.unpack('>I8', held, 35) > now

-- Numbers, never strings: Lua compares strings by the server's locale.
local function compare(left, left_at, right, right_at)
  local a = {struct.unpack('>I6I2I4I4', left, left_at)}
  local b = {struct.unpack('>I6I2I4I4', right, right_at)}
  for i = 1, 4 do
    if a[i] ~= b[i] then
      return a[i] < b[i] and -1 or 1
    end
  end
  return 0
end

local condition = ARGV[1]
if condition == 'V' then
  if not live then
    return 'N'
  end
  if held:sub(3, 18) ~= ARGV[5] then
    return 'S' .. held:sub(3, 18)
  end
end

-- Versions never go back, whatever the condition and whether or not the caller's clock takes what is held for expired: a clock
-- that is ahead, or one that was behind when it wrote the other, must not bring old values back.
local order = known and compare(held, 3, ARGV[2], 3) or -1
if order > 0 then
  return 'S' .. held:sub(3, 18)
end
if condition == 'A' then
  if live and held:byte(2) == 0 and struct.unpack('>I8', held, 27) > now then
    return 'S' .. held:sub(3, 18)
  end
elseif condition ~= 'V' and live then
  if order == 0 then
    return 'A'
  end
  if condition == 'U' and held:sub(3, 18) ~= ARGV[5] then
    return 'S' .. held:sub(3, 18)
  end
end

local ttl = ARGV[3]
if ttl == '-1' then
  redis.call('DEL', KEYS[1])
elseif ttl == '0' then
  redis.call('SET', KEYS[1], ARGV[2])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ttl)
end
return 'A'
