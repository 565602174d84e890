/**
 * The raw loop, in a process of its own: what Node itself costs for a turn. The same PDUs in and out, a read and a
 * compare-and-set in Redis of a value as long as the daemon's, one write to each socket in a turn of the event loop, and
 * nothing else: no flow, no dialect, no check, no log, no metric. It is written by hand, and stays the same when the
 * daemon changes. Arguments: the SMSC's port, Redis' port, octets of a value.
 */
import { connect, type Socket } from 'node:net'
import { WALK_SCREENS } from '../scenarios.ts'
import { redisClient } from './redis.ts'
import { bindTransceiver, deliverResponse, frames, ok, screenOf, skim, type Deliver } from './octets.ts'

const DELIVER_SM = 0x05
const ENQUIRE_LINK = 0x15
const OPENS = 1
const TTL_MS = 420_000
const IDLE_MS = 60_000

const [smscPort = 0, redisPort = 0, octets = 0] = process.argv.slice(2).map(Number)
const redis = redisClient(await connected(redisPort))
const smsc = await connected(smscPort)
const write = gathered(smsc)
let [sequence, versions] = [1, 0]

smsc.on('data', frames(onFrame))
smsc.once('close', () => process.exit(0))
process.once('SIGTERM', () => process.exit(0))
write(bindTransceiver(sequence++))

function onFrame(frame: Buffer): void {
  const command = frame.readUInt32BE(4)
  if (command === ENQUIRE_LINK) write(ok(frame))
  if (command !== DELIVER_SM) return
  const turn = skim(frame)
  write(deliverResponse(frame))
  const name = `main:${turn.msisdn}`
  const bucket = `ussd:{b${turn.subscriber % 64}}`
  redis.get(`${bucket}:u:${name}`, (value) => {
    // Form and flag, then the version and what comes next, as in the daemon's values.
    const [version = '', step = '0'] = value === null ? [] : value.slice(2, 64).split(' ')
    const next = turn.op === OPENS ? 0 : Number(step)
    rest({ turn, name, bucket, version, next })
  })
}

interface Rest {
  turn: Deliver
  name: string
  bucket: string
  version: string
  next: number
}

function rest({ turn, name, bucket, version, next }: Rest): void {
  const head = `3c${String(++versions).padStart(12, '0')} ${next + 1} `
  const value = head.padEnd(octets, '.')
  const places = { key: `${bucket}:u:${name}`, index: `${bucket}:deadlines` }
  redis.write({ ...places, version, value, ttlMs: TTL_MS, name, deadlineMs: Date.now() + IDLE_MS }, (written) => {
    if (!written) throw new Error(`${name} has another version than ${version}`)
    write(screenOf(turn, WALK_SCREENS[next] ?? '?', next + 1 === WALK_SCREENS.length, sequence++))
  })
}

/** Everything of one turn of the event loop in one write. */
function gathered(socket: Socket): (octets: Buffer) => void {
  let waiting: Buffer[] = []
  const flush = () => {
    socket.write(waiting.length === 1 ? waiting[0]! : Buffer.concat(waiting))
    waiting = []
  }
  return (octets) => {
    if (waiting.push(octets) === 1) setImmediate(flush)
  }
}

function connected(port: number): Promise<Socket> {
  return new Promise((done, fail) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => done(socket)).once('error', fail)
  })
}
