/**
 * What a begin means, in Lua: the part of redis-scripts.ts that says dialogue/repeat.ts `hearBegin` and `bury` again.
 */
import { PAST_MAX } from '../../dialogue/index.ts'

/**
 * now, token, network, code, link, lease, first line, path line, other words for the code, how long a copy is one or ''
 */
export const OPEN = `
local now, token, network, code, link = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local copy = ARGV[10] ~= '' and math.min(tonumber(ARGV[10]), TOMBSTONE)
local function alike(r) return r.code == code or string.find(ARGV[9], ' ' .. r.code .. ' ', 1, true) end
local function copied(r)
  if not copy then return r.status ~= 'e' or now - r.touched < TOMBSTONE end
  return (r.status ~= 'e' or r.flag == 'u' or (r.turn == '1' and r.flag ~= '-')) and alike(r) and now - r.opened < copy
end
local function known(r)
  if network == '""' then
    return r.network == '""' and r.status ~= 'e' and alike(r) and r.turn == '1' and now - r.opened < DUPLICATE and 'this'
  end
  if r.network == network and copied(r) then return 'this' end
  if copy and r.status == 'e' and r.flag ~= 'u' then return nil end
  for old, till in string.gmatch(r.past, '(%S+) (%d+)') do
    if old == network and now < tonumber(till) then return 'past' end
  end
end
local function past(r)
  local kept = {}
  local function keep(old, till)
    if old == '""' or old == network or till <= now or #kept == ${PAST_MAX} then return end
    kept[#kept + 1] = old .. ' ' .. int(till)
  end
  keep(r.network, copy and r.opened + copy or (r.status == 'e' and r.touched or now) + TOMBSTONE)
  for old, till in string.gmatch(r.past, '(%S+) (%d+)') do keep(old, tonumber(till)) end
  return table.concat(kept, ' ')
end
local v = redis.call('GET', KEYS[1])
local remembered, before = '', ''
if v then
  local r = parse(v)
  if not r then return {'corrupt', v} end
  if counts(r, now) then
    if r.token == token then
      if r.status == 't' and r.turn == '1' then return {'opened', v} end
      return {'repeat', v, 0}
    end
    local which = known(r)
    if which then
      local unsure = network == '""' or (copy and r.status == 'e')
      local again = (r.turn == '1' and lost(r, link)) or (unsure and r.flag ~= '-' and r.link ~= '-')
      return {'repeat', v, which == 'this' and again and 1 or 0}
    end
    remembered = past(r)
    if r.status ~= 'e' then r.status, r.flag, r.ended, r.touched, r.keep = 'e', '-', 'superseded', now, '-' end
    before = '\\n' .. head(r) .. outcome(r, v)
  end
end
if KEYS[1] ~= home then
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', KEYS[2], member())
  KEYS[1] = home
end
v = ARGV[7] .. '\\n' .. remembered .. '\\n' .. ARGV[8] .. '\\n\\n' .. before
redis.call('SET', KEYS[1], v, 'PX', OPEN_TTL)
redis.call('ZADD', KEYS[2], ARGV[6], member())
return {'opened', v}
`

/** now, until, network, first line and path line of a tombstone, token */
export const BURY = `
local now, till, network = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local v = redis.call('GET', KEYS[1])
local r = v and parse(v)
if v and not r then return {'corrupt', v} end
if not r or not counts(r, now) then
  if KEYS[1] ~= home then redis.call('DEL', KEYS[1]) end
  KEYS[1] = home
  v = ARGV[4] .. '\\n' .. network .. ' ' .. int(till) .. '\\n' .. ARGV[5] .. '\\n\\n'
  finish(parse(v), v, 'store-failed', now, till - now)
  return 1
end
if r.status == 't' and r.turn == '1' and r.token == ARGV[6] then
  finish(r, v, 'store-failed', now, till - now)
  return 1
end
local kept = {network .. ' ' .. int(till)}
if r.network == network then return 0 end
for old, past in string.gmatch(r.past, '(%S+) (%d+)') do
  if old == network then return 0 end
  if #kept < ${PAST_MAX} then kept[#kept + 1] = old .. ' ' .. past end
end
r.past = table.concat(kept, ' ')
if r.status ~= 'e' then redis.call('SET', KEYS[1], head(r) .. string.sub(v, r.pos), 'KEEPTTL')
else
  r.keep = int(math.max(tonumber(r.keep), till))
  redis.call('SET', KEYS[1], head(r) .. string.sub(v, r.pos), 'PX', int(math.max(r.keep - now, 1)))
end
return 1
`
