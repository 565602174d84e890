/**
 * What is decided inside Redis: dialogue/repeat.ts and dialogue/outcome.ts said again in Lua, over the form of
 * redis-record.ts. KEYS: the record, the deadline index of its bucket, where the record may still stand. Time is always
 * an argument; the limits, fixed when a store is made, are written into the scripts. What a script cannot read it
 * leaves, and answers {'corrupt', value}.
 */
import { OLDER_MAX, STEPS, type DialogueLimits } from '../../dialogue/index.ts'
import { BURY, OPEN } from './begins.ts'

/** A record that nobody touches goes by itself this long after the last moment that it could matter. */
const BACKSTOP_MS = 3_600_000

/** What is put aside because it does not read is kept for a week, to be looked at. */
const QUARANTINE_MS = 604_800_000

export type ScriptName = 'open' | 'bury' | 'take' | 'rest' | 'renew' | 'drop' | 'seize' | 'confirm' | 'putAside'

export function scripts(limits: DialogueLimits, form: '1' | '2'): Record<ScriptName, string> {
  const limited = LIMITED(limits, form)
  // take and rest are every turn: they pick out the words they need, and pay for nothing else.
  const whole = limited + WHOLE
  return {
    open: FORMER(3) + whole + OPEN,
    bury: FORMER(3) + whole + BURY,
    drop: FORMER(3) + whole + DROP,
    take: FORMER(3) + limited + TAKE,
    rest: FORMER(3) + limited + REST,
    renew: FORMER(3) + RENEW,
    seize: whole + SEIZE,
    confirm: limited + CONFIRM,
    putAside: FORMER(4) + PUT_ASIDE,
  }
}

/**
 * Where there are keys, a record may still stand under its plain name from before: it stays there until it ends, and
 * the next dialogue of the subscriber takes the new name.
 */
const FORMER = (at: number) => `
local home = KEYS[1]
if KEYS[${at}] and redis.call('EXISTS', home) == 0 and redis.call('EXISTS', KEYS[${at}]) == 1 then KEYS[1] = KEYS[${at}] end
`

const LIMITED = (limits: DialogueLimits, form: '1' | '2') => `
local FORM = '${form}'
local TOMBSTONE, IDLE, TOTAL = ${limits.tombstoneMs}, ${limits.idleMs}, ${limits.totalMs}
local CONFIRM, DUPLICATE = ${limits.confirmMs}, ${limits.duplicateBeginMs}
local KEEP = ${Math.max(limits.tombstoneMs, limits.resumeMs)}
local OPEN_TTL = ${limits.totalMs + Math.max(limits.tombstoneMs, limits.resumeMs) + BACKSTOP_MS}
local function int(n) return string.format('%.0f', n) end
local function member() return (string.match(KEYS[1], '}:d:(.*)$')) end
`

/** A record as a table, and back. */
const WHOLE = `
local function parse(v)
  local status, flag, turn, epoch, opened, touched, token, network, code, kind, text, step, op, keep, ended,
    link, rstep, past, path, pos = string.match(v, '^[12]([tre])([cu%-]) (%d+) (%S+) (%d+) (%-?%d+) (%S+) (%S+) '
    .. '(%S+) ([bin]) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+)\\n([^\\n]*)\\n([^\\n]*)\\n()')
  return status and {status = status, flag = flag, turn = turn, epoch = epoch, opened = tonumber(opened),
    touched = opened + touched, token = token, network = network, code = code, kind = kind, text = text,
    step = step, op = op, keep = keep, ended = ended, link = link, rstep = rstep, past = past, path = path, pos = pos}
end
local function head(r)
  return FORM .. r.status .. r.flag .. ' ' .. r.turn .. ' ' .. r.epoch .. ' ' .. int(r.opened) .. ' '
    .. int(r.touched - r.opened) .. ' ' .. r.token .. ' ' .. r.network .. ' ' .. r.code .. ' ' .. r.kind .. ' '
    .. r.text .. ' ' .. r.step .. ' ' .. r.op .. ' ' .. r.keep .. ' ' .. r.ended .. ' ' .. r.link .. ' '
    .. r.rstep .. '\\n' .. r.past .. '\\n' .. r.path .. '\\n'
end
local function outcome(r, v) return string.match(v, '^[^\\n]*\\n[^\\n]*', r.pos) end
local function counts(r, now) return r.status ~= 'e' or now < tonumber(r.keep) end
local function lost(r, link) return r.flag == 'u' and r.link ~= '-' and r.link ~= link end
local function finish(r, v, reason, now, keep)
  r.status, r.flag, r.ended, r.touched, r.keep = 'e', '-', reason, now, int(now + keep)
  local ended = head(r) .. outcome(r, v)
  redis.call('SET', KEYS[1], ended, 'PX', int(math.max(keep, 1)))
  redis.call('ZREM', KEYS[2], member())
  return ended
end
`

/**
 * now, token, network, kind, text, step, link, lease, path line, beginOp, other words for the text, what the path line
 * is bound to ('' nothing). Where that is not the turn that would begin, nothing is changed, and the record is answered
 * to bind it to.
 */
const TAKE = `
local now, token, network = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local kind, text, step, link = ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local v = redis.call('GET', KEYS[1])
if not v then return {'unknown'} end
local status, flag, turn, epoch, opened, touched, holder, known, code, last, was, laststep, op, keep,
  replied, rstep, past, pos = string.match(v, '^[12]([tre])([cu%-]) (%d+) (%S+) (%d+) (%-?%d+) (%S+) (%S+) (%S+) '
  .. '([bin]) (%S+) (%S+) (%S+) (%S+) %S+ (%S+) (%S+)\\n([^\\n]*\\n)[^\\n]*\\n()')
if not status then return {'corrupt', v} end
if status == 'e' and now >= tonumber(keep) then return {'unknown'} end
if not (known == network or known == '""' or network == '""') then return {'unknown'} end
if holder == token then
  if status == 't' then return {'next', v} end
  return {'repeat', v, 0}
end
local same = last == kind and (was == text or string.find(ARGV[11], ' ' .. was .. ' ', 1, true))
  and (laststep == '-' or step == '-' or laststep == step)
if status == 't' then
  if same then return {'repeat', v, 0} end
  return {'busy', v}
end
local lost = flag == 'u' and replied ~= '-' and replied ~= link
local again
if status == 'e' then
  if not (same and flag ~= '-' and now - opened - touched < TOMBSTONE) then return {'unknown'} end
  again = true
elseif last == 'i' and laststep ~= '-' and step ~= '-' and (laststep - step) % ${STEPS} > 0
  and (laststep - step) % ${STEPS} <= ${OLDER_MAX} then
  again = true
elseif same then
  again = (step ~= '-' and step == laststep and rstep ~= '-' and rstep ~= step) or (flag == 'u' and lost)
end
if again then return {'repeat', v, lost and 1 or 0} end
if ARGV[12] ~= '' and ARGV[12] ~= int(turn + 1) .. ' ' .. epoch .. ' ' .. opened .. ' ' .. known .. ' ' .. code then
  return {'bind', v}
end
if ARGV[10] ~= '-' then op = ARGV[10] end
local still = laststep ~= '-' and step == laststep and rstep ~= '-' and rstep ~= step
local behind = laststep == '-' and rstep ~= '-' and step ~= '-' and (rstep - step) % ${STEPS} or 0
if still or (last == 'i' and laststep == '-') or (behind > 0 and behind <= ${OLDER_MAX}) then step = '-' end
v = FORM .. 't- ' .. int(turn + 1) .. ' ' .. epoch .. ' ' .. opened .. ' ' .. int(now - opened) .. ' ' .. token
  .. ' ' .. known .. ' ' .. code .. ' ' .. kind .. ' ' .. text .. ' ' .. step .. ' ' .. op .. ' - - ' .. replied
  .. ' ' .. rstep .. '\\n' .. past .. ARGV[9] .. '\\n' .. string.sub(v, pos)
redis.call('SET', KEYS[1], v, 'KEEPTTL')
redis.call('ZADD', KEYS[2], ARGV[8], member())
return {'next', v}
`

/**
 * now, epoch, token, ended, how long to keep, reply link, reply step, the lines of reply and snapshot, what binds them
 * (see take)
 */
const REST = `
local now, ended = tonumber(ARGV[1]), ARGV[4]
local v = redis.call('GET', KEYS[1])
if not v then return 0 end
local status, flag, fixed, epoch, opened, token, said, keep, context = string.match(v, '^[12]([tre])([cu%-])'
  .. '( %d+ (%S+) (%d+) )%-?%d+ (%S+)( %S+ %S+ [bin] %S+ %S+ %S+ )(%S+) %S+ %S+ %S+(\\n[^\\n]*\\n[^\\n]*\\n)')
if not status then return {'corrupt', v} end
if epoch ~= ARGV[2] or token ~= ARGV[3] then return 0 end
if status ~= 't' then return flag ~= '-' and (status == 'r' or now < tonumber(keep)) and 1 or 0 end
if ARGV[9] ~= '' and ARGV[9] ~= string.sub(fixed, 2) .. string.match(said, '^ (%S+ %S+)') then return {'bind', v} end
local due = now + CONFIRM
local touched = fixed .. int(now - opened) .. ' ' .. token .. said
local replied = ' ' .. ended .. ' ' .. ARGV[6] .. ' ' .. ARGV[7] .. context .. ARGV[8]
if ended == '-' then
  due = math.min(due, now + IDLE, opened + TOTAL)
  redis.call('SET', KEYS[1], FORM .. 'ru' .. touched .. '-' .. replied, 'KEEPTTL')
else
  redis.call('SET', KEYS[1], FORM .. 'eu' .. touched .. int(now + ARGV[5]) .. replied, 'PX', int(math.max(ARGV[5], 1)))
end
redis.call('ZADD', KEYS[2], int(due), member())
return 1
`

/** epoch, token, lease */
const RENEW = `
local h = redis.call('GETRANGE', KEYS[1], 0, 1023)
local status, epoch, token = string.match(h, '^[12]([tre])[cu%-] %d+ (%S+) %d+ %-?%d+ (%S+) ')
if status ~= 't' or epoch ~= ARGV[1] or token ~= ARGV[2] then return 0 end
redis.call('ZADD', KEYS[2], ARGV[3], (string.match(KEYS[1], '}:d:(.*)$')))
return 1
`

/** now, epoch or '', network or '', reason, how long to keep */
const DROP = `
local now, epoch, network = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local v = redis.call('GET', KEYS[1])
if not v then return {'nothing'} end
local r = parse(v)
if not r then return {'corrupt', v} end
if not counts(r, now) or (epoch ~= '' and epoch ~= r.epoch) then return {'nothing'} end
if network ~= '' and network ~= '""' and r.network ~= '""' and r.network ~= network then return {'nothing'} end
if r.status ~= 'e' then return {'dropped', finish(r, v, ARGV[4], now, tonumber(ARGV[5]))} end
if r.flag == 'u' then
  redis.call('SETRANGE', KEYS[1], 2, '-')
  redis.call('ZREM', KEYS[2], member())
end
return {'nothing'}
`

/** now, token, lease */
const SEIZE = `
local now, name = tonumber(ARGV[1]), member()
local score = redis.call('ZSCORE', KEYS[2], name)
if not score or tonumber(score) > now then return {'nothing'} end
local v = redis.call('GET', KEYS[1])
if not v then
  redis.call('ZREM', KEYS[2], name)
  return {'nothing'}
end
local r = parse(v)
if not r then return {'corrupt', v} end
if r.status == 'e' then
  if r.flag == 'u' and counts(r, now) then
    redis.call('ZADD', KEYS[2], int(now + CONFIRM), name)
    return {'unconfirmed', v}
  end
  redis.call('ZREM', KEYS[2], name)
  return {'nothing', v}
end
local total = r.opened + TOTAL
if r.status == 't' then
  if now >= total then return {'ended', finish(r, v, 'total', now, KEEP)} end
  r.token, r.keep = ARGV[2], int((tonumber(r.keep) or 0) + 1)
  v = head(r) .. string.sub(v, r.pos)
  redis.call('SET', KEYS[1], v, 'KEEPTTL')
  redis.call('ZADD', KEYS[2], ARGV[3], name)
  return {'abandoned', v}
end
local ends = math.min(r.touched + IDLE, total)
if now >= ends then return {'ended', finish(r, v, ends < total and 'idle' or 'total', now, KEEP)} end
redis.call('ZADD', KEYS[2], int(r.flag == 'u' and math.min(now + CONFIRM, ends) or ends), name)
return {r.flag == 'u' and 'unconfirmed' or 'nothing', v}
`

/** Any number of pairs of keys; for each: epoch, turn. Reads and writes only the first octets of a record. */
const CONFIRM = `
for i = 1, #KEYS, 2 do
  local h = redis.call('GETRANGE', KEYS[i], 0, 255)
  local status, turn, epoch, opened, touched = string.match(h, '^[12]([tre])u (%d+) (%S+) (%d+) (%-?%d+) ')
  if status and epoch == ARGV[i] and turn == ARGV[i + 1] then
    local name = string.match(KEYS[i], '}:d:(.*)$')
    redis.call('SETRANGE', KEYS[i], 2, 'c')
    if status == 'e' then redis.call('ZREM', KEYS[i + 1], name)
    else
      local ends = opened + math.min(touched + IDLE, TOTAL)
      redis.call('ZADD', KEYS[i + 1], int(ends), name)
    end
  end
end
return 1
`

/**
 * KEYS: record, index, where to, former record. ARGV: the value that does not read, '' where it is no string at all.
 */
const PUT_ASIDE = `
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' or (kind == 'string' and redis.call('GET', KEYS[1]) ~= ARGV[1]) then return 0 end
redis.call('RENAME', KEYS[1], KEYS[3])
redis.call('PEXPIRE', KEYS[3], ${QUARANTINE_MS})
redis.call('ZREM', KEYS[2], (string.match(KEYS[1], '}:d:(.*)$')))
return 1
`
