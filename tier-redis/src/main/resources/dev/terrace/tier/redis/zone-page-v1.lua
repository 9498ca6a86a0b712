-- A part of what one server holds.
--
-- No keys: run on the server that is to be walked through.
-- ARGV[1]  where SCAN goes on, 0 to begin
-- ARGV[2]  pattern of the entries' keys: their prefix and a star
-- ARGV[3]  about how many keys to look at
--
-- Answers a flat list: where SCAN goes on (0 after the last), the server's run id, then for every entry its key and the bytes of
-- its envelope up to the end of the key within, or none when it is no envelope; for every promise its key, which begins with a
-- brace, and the 16 bytes that are promised.

local scanned = redis.call('SCAN', ARGV[1], 'MATCH', '*' .. ARGV[2], 'COUNT', ARGV[3])
local prefix = ARGV[2]:sub(1, -2)
local out = {scanned[1], string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')}
for _, key in ipairs(scanned[2]) do
  if key:sub(1, #prefix) == prefix then
    local head = redis.pcall('GETRANGE', key, 0, 51)
    if type(head) == 'string' and #head == 52 and head:byte(1) == 1 then
      local name, length = struct.unpack('>I2I2', head, 43)
      head = redis.pcall('GETRANGE', key, 0, 51 + name + length)
    end
    out[#out + 1] = key
    out[#out + 1] = type(head) == 'string' and head or ''
  elseif key:sub(1, #prefix + 1) == '{' .. prefix and key:sub(-3) == '}:p' then
    local promised = redis.pcall('GETRANGE', key, 0, 15)
    if type(promised) == 'string' and #promised == 16 then
      out[#out + 1] = key
      out[#out + 1] = promised
    end
  end
end
return out
