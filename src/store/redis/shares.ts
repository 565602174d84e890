/**
 * The caps of lines, divided among daemons: `prefix:{cap:<line>}` is a hash with a field for each daemon that has a
 * share. A share ends by the time of Redis. What is granted is never more than the cap leaves after what the others
 * hold: a daemon that is to give something up says itself that it no longer has it, with its next ask.
 */
import { Redis } from 'ioredis'
import type { LineShares, ShareAsk, ShareGrant } from '../../smpp/session/index.ts'
import type { Client } from './servers.ts'

export interface RedisSharesOptions {
  /** The client of the dialogues: its owner listens for errors and closes it. */
  client: Client
  prefix?: string
  /** Identifies this run of the daemon. */
  instance: string
  /** In place of the time of Redis: for tests. */
  nowMs?: () => number
}

/** A daemon that does not ask again loses its share after this: two asks may fail, and a second counts afterwards. */
export const SHARE_MS = 3_000
/** What a daemon that leaves has written within the last second still counts; see Lately. */
const LEFT_MS = 1_100
/** The hash outlives its last share a little. */
const KEPT_MS = 10_000
/** Who gets what cannot be divided: another one after so long. */
const TURN_MS = 5_000

/** ARGV of each line: serial, cap, kept, hold, and what it wants of USSD and of SMS (-1: it leaves). */
const WORDS = 6

/**
 * Several lines, each with its own answer. ARGV: the time ('': that of Redis), the daemon, then WORDS of each line. A
 * field: until when, what it holds, what it wants of USSD and of SMS, its cap, the serial of its ask. Answers for each:
 * total, kept, cap, floor, how many daemons; nothing if a later ask of this daemon was here before.
 */
const SHARE = `
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local me = ARGV[2]

-- Equal parts; what one does not want goes to the others. Those that get the smaller part take turns.
local function divide(wishes, most)
  local order, given, left = {}, {}, most
  local turn = math.floor(now / ${TURN_MS})
  for i = 1, #wishes do order[i] = i end
  table.sort(order, function(a, b)
    if wishes[a] ~= wishes[b] then return wishes[a] < wishes[b] end
    return (a + turn) % #wishes < (b + turn) % #wishes
  end)
  for n = 1, #order do
    local i = order[n]
    given[i] = math.min(wishes[i], math.floor(left / (#order - n + 1)))
    left = left - given[i]
  end
  return given, left
end

local function read(key)
  local others, mine, held, over = {}, nil, 0, {}
  local all = redis.call('HGETALL', key)
  for i = 1, #all, 2 do
    local till, hold, ussd, sms, cap, serial = string.match(all[i + 1], '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+)$')
    local one = { id = all[i], ussd = tonumber(ussd), sms = tonumber(sms), cap = tonumber(cap), serial = tonumber(serial) }
    if tonumber(till) <= now then over[#over + 1] = all[i]
    elseif all[i] == me then mine = one
    else
      held = held + tonumber(hold)
      if one.ussd >= 0 then others[#others + 1] = one end
    end
  end
  if #over > 0 then redis.call('HDEL', key, unpack(over)) end
  return others, mine, held
end

local function put(key, till, hold, ussd, sms, cap, serial)
  redis.call('HSET', key, me, table.concat({ till, hold, ussd, sms, cap, serial }, ' '))
  redis.call('PEXPIRE', key, ${KEPT_MS})
end

local function share(key, serial, cap, kept, hold, ussd, sms)
  local own = cap
  local all, mine, held = read(key)
  if mine and mine.serial >= serial then return {} end
  for _, one in ipairs(all) do cap = math.min(cap, one.cap) end
  if ussd < 0 then
    if hold > 0 then put(key, now + ${LEFT_MS}, hold, -1, -1, own, serial) else redis.call('HDEL', key, me) end
    return { 0, 0, cap, 1, #all }
  end
  kept = math.min(kept, cap - 1)
  all[#all + 1] = { id = me, ussd = ussd, sms = sms }
  table.sort(all, function(a, b) return a.id < b.id end)
  local floor = math.max(1, math.floor(kept / (#all + 1)))
  local wishes, others, at = {}, {}, 0
  for i, one in ipairs(all) do
    wishes[i], others[i] = math.max(floor, one.ussd), one.sms
    if one.id == me then at = i end
  end
  local replies, free = divide(wishes, cap)
  local texts, left = divide(others, math.min(free, cap - kept))
  for i = 1, #all do wishes[i] = left end
  local rest = divide(wishes, left)
  local total = math.max(0, math.min(replies[at] + texts[at] + rest[at], cap - held))
  -- Redis has forgotten this daemon, so perhaps others, too.
  if not mine and hold > 0 then total = math.min(total, hold) end
  put(key, now + ${SHARE_MS}, math.max(hold, total), ussd, sms, own, serial)
  return { total, math.min(replies[at], math.ceil(kept / #all), math.max(0, total - 1)), cap, floor, #all }
end

local answers = {}
for i = 1, #KEYS do
  local words = {}
  for n = 1, ${WORDS} do words[n] = tonumber(ARGV[2 + (i - 1) * ${WORDS} + n]) end
  answers[i] = share(KEYS[i], unpack(words))
end
return answers
`

/** One call for all lines; in a Cluster one for each, because the keys of a script must be in one slot. */
export function redisShares({ client, prefix = 'ussd', instance, nowMs }: RedisSharesOptions): LineShares {
  client.defineCommand('ussd:share', { lua: SHARE })
  // ioredis attaches it to the client under its name, which the types cannot know.
  const call = (client as unknown as Record<string, (...words: (string | number)[]) => Promise<number[][]>>)[
    'ussd:share'
  ]!
  const askAll = async (asks: readonly ShareAsk[]): Promise<(ShareGrant | null)[]> => {
    const keys = asks.map(({ line }) => `${prefix}:{cap:${line}}`)
    const words = asks.flatMap(wordsOf)
    try {
      const answers = await call.call(client, keys.length, ...keys, nowMs ? nowMs() : '', instance, ...words)
      return answers.map(grantOf)
    } catch {
      // The connection itself says why (connection.ts).
      return asks.map(() => null)
    }
  }
  return {
    async ask(asks) {
      if (client instanceof Redis) return askAll(asks)
      return (await Promise.all(asks.map((one) => askAll([one])))).flat()
    },
  }
}

function wordsOf({ serial, cap, kept, hold, wants }: ShareAsk): number[] {
  return [serial, cap, kept, hold, wants?.ussd ?? -1, wants?.sms ?? -1]
}

function grantOf([total, kept, cap, floor, daemons]: number[]): ShareGrant | null {
  if (total === undefined) return null
  return { total, kept: kept!, cap: cap!, floor: floor!, daemons: daemons! }
}
