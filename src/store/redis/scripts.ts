/**
 * What runs inside Redis: compare-and-set, and nothing that decides. A value begins with its form, its flag, its
 * version and a blank (register.ts). KEYS 1 and 2 of each: the value, and the deadline index of its bucket; one hash
 * tag.
 */

/** What is put aside because it does not read is kept for a week, to be looked at. */
const QUARANTINE_MS = 604_800_000

export type ScriptName = 'write' | 'touch' | 'settle' | 'putAside' | 'due' | 'count'

const STANDS = `
local function stands(key, version) return redis.call('GETRANGE', key, 2, #version + 2) == version .. ' ' end
local function due(by, member)
  local at = redis.call('ZSCORE', KEYS[2], member)
  return at and tonumber(at) <= tonumber(by)
end
`

/**
 * KEYS 3: where it was read, under its former name. ARGV: the version that must stand there ('' none), the next value
 * ('' none), its time to live, its name, its deadline ('' none, '=' as it is), by when its deadline must have come ('' no
 * matter), its former name, how many the bucket may have ('' no matter). Answers 1 written, 0 refused, 2 no room.
 */
const WRITE = `${STANDS}
local version, value, name, at = ARGV[1], ARGV[2], ARGV[4], KEYS[3] or KEYS[1]
if version == '' then
  if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
  if ARGV[8] ~= '' and redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[8]) then return 2 end
elseif not stands(at, version) then return 0 end
if ARGV[6] ~= '' and not due(ARGV[6], name) then return 0 end
if KEYS[3] then
  if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
  redis.call('DEL', KEYS[3])
  redis.call('ZREM', KEYS[2], ARGV[7])
end
if value == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], value, 'PX', ARGV[3]) end
if value == '' or ARGV[5] == '' then redis.call('ZREM', KEYS[2], name)
elseif ARGV[5] ~= '=' then redis.call('ZADD', KEYS[2], ARGV[5], name) end
return 1
`

/** ARGV: the version ('' any), the deadline ('' none), the name, by when its deadline must have come ('' no matter). */
const TOUCH = `${STANDS}
if ARGV[1] ~= '' and not stands(KEYS[1], ARGV[1]) then return 0 end
if ARGV[4] ~= '' and not due(ARGV[4], ARGV[3]) then return 0 end
if ARGV[2] == '' then redis.call('ZREM', KEYS[2], ARGV[3]) else redis.call('ZADD', KEYS[2], ARGV[2], ARGV[3]) end
return 1
`

/** Pairs of keys; for each the turn, the name and the deadline ('' none). Touches only the head of a value. */
const SETTLE = `
local at = 1
for i = 1, #KEYS, 2 do
  local turn, name, due = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  if string.match(redis.call('GETRANGE', KEYS[i], 0, 255), '^%du%S+ (%S+ %S+)\\n') == turn then
    redis.call('SETRANGE', KEYS[i], 1, 'c')
    if due == '' then redis.call('ZREM', KEYS[i + 1], name) else redis.call('ZADD', KEYS[i + 1], due, name) end
  end
  at = at + 3
end
return 1
`

/** KEYS 3: where to. ARGV: the value that does not read, '' where it is no string at all; the name. */
const PUT_ASIDE = `
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' or (kind == 'string' and redis.call('GET', KEYS[1]) ~= ARGV[1]) then return 0 end
redis.call('RENAME', KEYS[1], KEYS[3])
redis.call('PEXPIRE', KEYS[3], ${QUARANTINE_MS})
redis.call('ZREM', KEYS[2], ARGV[2])
return 1
`

/** Of all indexes at once, where one server has them: names and deadlines of each up to a moment, so many at most. */
const DUE = `
local found = {}
for i = 1, #KEYS do
  local due = redis.call('ZRANGEBYSCORE', KEYS[i], '-inf', ARGV[1], 'WITHSCORES', 'LIMIT', 0, ARGV[2])
  for n = 1, #due do found[#found + 1] = due[n] end
end
return found
`

const COUNT = `
local sum = 0
for i = 1, #KEYS do sum = sum + redis.call('ZCARD', KEYS[i]) end
return sum
`

export const SCRIPTS: Record<ScriptName, string> = {
  write: WRITE,
  touch: TOUCH,
  settle: SETTLE,
  putAside: PUT_ASIDE,
  due: DUE,
  count: COUNT,
}
