-- Lengthens the life of an envelope in place, as one step.
--
-- KEYS[1]  the key
-- ARGV[1]  the head that the envelope is to have, 52 bytes
-- ARGV[2]  the checksum that it has then, 4 bytes
-- ARGV[3]  its length
-- ARGV[4]  time to live in milliseconds; 0 for ever
--
-- Answers: 'D' it ends then or later; 'R' something newer is held; 'N' neither that nor this version is held.
--
-- Offsets are those of the envelope (first byte is 1 here): format 1, kind 2, version 3-18, created 19-26, fresh until 27, stale
-- until 35, lengths 43-52.

local held = redis.call('GETRANGE', KEYS[1], 0, 51)
if #held < 52 or held:byte(1) ~= 1 then
  return 'N'
end
local wanted = ARGV[1]
-- Numbers, never strings: Lua compares strings by the server's locale.
local a = {struct.unpack('>I6I2I4I4', held, 3)}
local b = {struct.unpack('>I6I2I4I4', wanted, 3)}
for i = 1, 4 do
  if a[i] ~= b[i] then
    return a[i] > b[i] and 'R' or 'N'
  end
end
if struct.unpack('>I8', held, 27) >= struct.unpack('>I8', wanted, 27) then
  return 'D'
end
-- The checksum is right for these bytes alone. One version has always the same, but a wrong one would lose the value.
local length = tonumber(ARGV[3])
if held:sub(1, 26) ~= wanted:sub(1, 26)
    or held:sub(43, 52) ~= wanted:sub(43, 52)
    or #redis.call('GETRANGE', KEYS[1], length - 4, length) ~= 4 then
  return 'N'
end
redis.call('SETRANGE', KEYS[1], 26, wanted:sub(27, 42))
redis.call('SETRANGE', KEYS[1], length - 4, ARGV[2])
if ARGV[4] == '0' then
  redis.call('PERSIST', KEYS[1])
else
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return 'D'
