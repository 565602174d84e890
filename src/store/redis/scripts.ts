/**
 * The scripts that run in Redis: compare-and-set, and nothing that decides. A value begins with its form, its flag, its
 * version and a blank (register.ts). KEYS 1 and 2 of each: the value, and the deadline index of its bucket; they have
 * one hash tag.
 */

/** An unreadable value is put aside and kept for a week, for inspection. */
const QUARANTINE_MS = 604_800_000

export type ScriptName = 'write' | 'touch' | 'settle' | 'putAside' | 'due' | 'count'

/** What is not a value has no version: one such key must not fail what is written together with others. */
const STANDS = `
local function stands(key, version) return redis.pcall('GETRANGE', key, 2, #version + 2) == version .. ' ' end
local function due(index, by, member)
  local at = redis.call('ZSCORE', index, member)
  return at and tonumber(at) <= tonumber(by)
end
`

/** Keys of each write in WRITE, and its arguments without its records. */
const WRITE_KEYS = 4
const WRITE_ARGS = 10

/**
 * Several writes, each with its own result. KEYS of each: also where the value was read, which may be under its former
 * name, and the hash of call detail records of the bucket. ARGV of each: the version that must be stored ('' none), the next value ('' none), its time to live, its name,
 * its deadline ('' none, '=' unchanged), by when its deadline must have come ('' any), the name under which it was
 * read, how many values the bucket may have ('' any), how many records it has ('' none), and how many of them the bucket
 * may have ('' any). Behind all of them, the field and the text of each record: apart, because Lua hashes each octet of
 * each string that it makes. Returns for each: 1 written, 0 refused, 2 no room, 3 written without its records.
 */
const WRITE = `${STANDS}
local taken = #KEYS / ${WRITE_KEYS} * ${WRITE_ARGS}
local function keep(hash, from, count, most)
  if most ~= '' and redis.call('HLEN', hash) >= tonumber(most) then return 3 end
  for at = from, from + 2 * (count - 1), 2 do redis.call('HSET', hash, ARGV[at], ARGV[at + 1]) end
  return 1
end
local function write(key, index, at, version, value, ttl, name, deadline, by, former, most)
  if version == '' then
    if redis.call('EXISTS', key) == 1 then return 0 end
    if most ~= '' and redis.call('ZCARD', index) >= tonumber(most) then return 2 end
  elseif not stands(at, version) then return 0 end
  if by ~= '' and not due(index, by, name) then return 0 end
  if at ~= key then
    if redis.call('EXISTS', key) == 1 then return 0 end
    redis.call('DEL', at)
    redis.call('ZREM', index, former)
  end
  if value == '' then redis.call('DEL', key) else redis.call('SET', key, value, 'PX', ttl) end
  if value == '' or deadline == '' then redis.call('ZREM', index, name)
  elseif deadline ~= '=' then redis.call('ZADD', index, deadline, name) end
  return 1
end
local done = {}
for i = 1, #KEYS / ${WRITE_KEYS} do
  local k, a = (i - 1) * ${WRITE_KEYS}, (i - 1) * ${WRITE_ARGS}
  done[i] = write(KEYS[k + 1], KEYS[k + 2], KEYS[k + 3], ARGV[a + 1], ARGV[a + 2], ARGV[a + 3], ARGV[a + 4],
    ARGV[a + 5], ARGV[a + 6], ARGV[a + 7], ARGV[a + 8])
  if ARGV[a + 9] ~= '' then
    local count = tonumber(ARGV[a + 9])
    if done[i] == 1 then done[i] = keep(KEYS[k + 4], taken + 1, count, ARGV[a + 10]) end
    taken = taken + 2 * count
  end
end
return done
`

/** ARGV: the version ('' any), the deadline ('' none), the name, by when its deadline must have come ('' any). */
const TOUCH = `${STANDS}
if ARGV[1] ~= '' and not stands(KEYS[1], ARGV[1]) then return 0 end
if ARGV[4] ~= '' and not due(KEYS[2], ARGV[4], ARGV[3]) then return 0 end
if ARGV[2] == '' then redis.call('ZREM', KEYS[2], ARGV[3]) else redis.call('ZADD', KEYS[2], ARGV[2], ARGV[3]) end
return 1
`

/** Pairs of keys; for each pair the turn, the name and the deadline ('' none). Changes only the head of a value. */
const SETTLE = `
local at = 1
for i = 1, #KEYS, 2 do
  local turn, name, due = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local head = redis.pcall('GETRANGE', KEYS[i], 0, 255)
  if type(head) == 'string' and string.match(head, '^%du%S+ (%S+ %S+)\\n') == turn then
    redis.call('SETRANGE', KEYS[i], 1, 'c')
    if due == '' then redis.call('ZREM', KEYS[i + 1], name) else redis.call('ZADD', KEYS[i + 1], due, name) end
  end
  at = at + 3
end
return 1
`

/** KEYS 3: the destination. ARGV: the unreadable value ('' if it is not a string), and the name. */
const PUT_ASIDE = `
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' or (kind == 'string' and redis.call('GET', KEYS[1]) ~= ARGV[1]) then return 0 end
redis.call('RENAME', KEYS[1], KEYS[3])
redis.call('PEXPIRE', KEYS[3], ${QUARANTINE_MS})
redis.call('ZREM', KEYS[2], ARGV[2])
return 1
`

/**
 * All indexes at once, if one server holds them: from each, the names and deadlines up to a moment, limited in number.
 */
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
