/**
 * As much of Redis' protocol as the raw loop needs: all reads of one turn of the event loop are one MGET, and all writes
 * one script.
 */
import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'

export interface RawRedis {
  get(key: string, done: (value: string | null) => void): void
  write(one: RawWrite, done: (written: boolean) => void): void
}

export interface RawWrite {
  key: string
  /** The deadlines of its bucket. */
  index: string
  /** The version that must be there; '' for none. */
  version: string
  value: string
  ttlMs: number
  name: string
  deadlineMs: number
}

type Answer = string | number | null | Answer[]

/** A copy of what the daemon's script does for a turn, so that this loop stays the same when the daemon's changes. */
const SCRIPT = `
local done = {}
for i = 1, #KEYS / 2 do
  local key, index, a = KEYS[2 * i - 1], KEYS[2 * i], (i - 1) * 5
  local version = ARGV[a + 1]
  local stands
  if version == '' then stands = redis.call('EXISTS', key) == 0
  else stands = redis.call('GETRANGE', key, 2, #version + 2) == version .. ' ' end
  if stands then
    redis.call('SET', key, ARGV[a + 2], 'PX', ARGV[a + 3])
    redis.call('ZADD', index, ARGV[a + 5], ARGV[a + 4])
  end
  done[i] = stands and 1 or 0
end
return done
`
const SHA = createHash('sha1').update(SCRIPT).digest('hex')
const LINE_END = '\r\n'

export function redisClient(socket: Socket): RawRedis {
  const awaiting: ((answer: Answer) => void)[] = []
  socket.on(
    'data',
    answers((answer) => awaiting.shift()!(answer)),
  )
  const send = (words: readonly (string | number)[], done: (answer: Answer) => void) => {
    awaiting.push(done)
    let command = `*${words.length}${LINE_END}`
    for (const word of words) {
      const text = String(word)
      command += `$${text.length}${LINE_END}${text}${LINE_END}`
    }
    socket.write(command, 'latin1')
  }
  send(['SCRIPT', 'LOAD', SCRIPT], () => undefined)
  return {
    get: perLoopTurn<string, string | null>((keys, done) => send(['MGET', ...keys], done as (all: Answer) => void)),
    write: perLoopTurn<RawWrite, boolean>((writes, done) => {
      const keys = writes.flatMap(({ key, index }) => [key, index])
      const args = writes.flatMap(({ version, value, ttlMs, name, deadlineMs }) => {
        return [version, value, ttlMs, name, deadlineMs]
      })
      send(['EVALSHA', SHA, keys.length, ...keys, ...args], (all) => done((all as number[]).map((one) => one === 1)))
    }),
  }
}

/** Collects until the event loop comes round. */
function perLoopTurn<Asked, Told>(send: (all: Asked[], done: (told: Told[]) => void) => void) {
  let waiting: Asked[] = []
  let dones: ((told: Told) => void)[] = []
  const flush = () => {
    const [all, each] = [waiting, dones]
    waiting = []
    dones = []
    send(all, (told) => each.forEach((done, i) => done(told[i]!)))
  }
  return (one: Asked, done: (told: Told) => void): void => {
    dones.push(done)
    if (waiting.push(one) === 1) setImmediate(flush)
  }
}

/** Cuts a stream into answers: strings, numbers, and lists of them. Throws what Redis refuses. */
function answers(on: (answer: Answer) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    const all = rest.length ? Buffer.concat([rest, chunk]) : chunk
    let at = 0
    for (let read = answerAt(all, at); read; read = answerAt(all, at)) {
      at = read.next
      on(read.answer)
    }
    rest = all.subarray(at)
  }
}

/** undefined: it is not whole yet. */
function answerAt(octets: Buffer, at: number): { answer: Answer; next: number } | undefined {
  const end = octets.indexOf(LINE_END, at)
  if (end < 0) return undefined
  const text = octets.toString('latin1', at + 1, end)
  let next = end + LINE_END.length
  switch (String.fromCharCode(octets[at]!)) {
    case '-':
      throw new Error(`Redis: ${text}`)
    case ':':
      return { answer: Number(text), next }
    case '$': {
      const length = Number(text)
      if (length < 0) return { answer: null, next }
      if (octets.length < next + length + LINE_END.length) return undefined
      return { answer: octets.toString('latin1', next, next + length), next: next + length + LINE_END.length }
    }
    case '*': {
      const list: Answer[] = []
      for (let n = 0; n < Number(text); n++) {
        const one = answerAt(octets, next)
        if (!one) return undefined
        list.push(one.answer)
        next = one.next
      }
      return { answer: list, next }
    }
    default: // '+': a word
      return { answer: text, next }
  }
}
