/**
 * An application behind Kannel, as small as it can be: the screens of `walk` in a table, and where each subscriber is in
 * Redis, by one GET and one SET. Arguments: its port, Redis' port, the octets that a dialogue takes there, the screens.
 */
import { createServer } from 'node:http'
import { Redis } from 'ioredis'

const TTL_MS = 420_000
const OPENS = 1
const [ASKS, ENDS] = [2, 17]

const [port, redisPort, octets] = process.argv.slice(2, 5).map(Number)
const screens = JSON.parse(process.argv[5])
const redis = new Redis({ port: redisPort, host: '127.0.0.1', enableAutoPipelining: true })
process.once('SIGTERM', () => process.exit(0))

createServer((request, response) => {
  answer(new URL(request.url, 'http://application').searchParams).then(
    ({ text, meta }) => {
      const length = Buffer.byteLength(text)
      response.writeHead(200, { 'content-type': 'text/plain', 'content-length': length, 'x-kannel-meta-data': meta })
      response.end(text)
    },
    (error) => {
      console.error(error)
      response.writeHead(500).end()
    },
  )
}).listen(port, '127.0.0.1', () => console.log('listening'))

async function answer(asked) {
  const meta = asked.get('meta') ?? ''
  const key = `dialogue:${asked.get('from')}`
  const isFirst = octetsOf(meta, 'ussd_service_op')[0] === OPENS
  const step = isFirst ? 0 : JSON.parse(await redis.get(key)).step
  const rested = JSON.stringify({ step: step + 1, typed: asked.get('text'), context: '.'.repeat(octets) })
  await redis.set(key, rested, 'PX', TTL_MS)
  const isLast = step + 1 === screens.length
  // The network's name of the dialogue; octet 2 counts the turns from its second bit, and its first bit ends it.
  const [name, turn] = octetsOf(meta, 'its_session_info')
  const next = ((turn + 2) & 0xfe) | (isLast ? 1 : 0)
  const carrier = [name, next].map((octet) => `%${octet.toString(16).padStart(2, '0')}`).join('')
  return {
    text: screens[step] ?? '?',
    meta: `?smpp?ussd_service_op=${isLast ? ENDS : ASKS}&its_session_info=${carrier}`,
  }
}

/** A TLV as Kannel hands it on: octets, those that are no letters or digits in percent notation. */
function octetsOf(meta, name) {
  const written = new RegExp(`\\b${name}=([^&]*)`).exec(meta)?.[1] ?? ''
  const octets = []
  for (let at = 0; at < written.length; at++) {
    if (written[at] !== '%') octets.push(written[at] === '+' ? 0x20 : written.charCodeAt(at))
    else octets.push(Number.parseInt(written.slice(at + 1, (at += 2) + 1), 16))
  }
  return octets
}
