/**
 * R19: what back ends and applications could do to us. Addresses in odd notations and names that lead inside are
 * refused; redirects are not followed; bombs, drips and endless answers are cut, and leave no memory behind.
 */
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { urlFault } from '../../../src/base/http/addresses.ts'
import type { Resolve } from '../../../src/backend/address.ts'
import { appBackend } from '../../../src/backend/app.ts'
import { loadContract } from '../../../src/backend/contracts/load.ts'
import { httpBackend } from '../../../src/backend/http.ts'
import type { Backend, CallResult } from '../../../src/backend/types.ts'
import { systemClock } from '../../../src/base/time/wall-clock.ts'
import { silentLog } from '../../../src/base/log/port.ts'
import { packageRoot } from '../../../src/base/package-root.ts'
import { heldMb, usedMb } from '../judging/live-memory.ts'
import { ANSWERS, NOTATIONS, PLAIN } from '../notations.ts'
import { told, type Campaign } from '../judging/outcome.ts'
import { guardStretches } from '../judging/stretches.ts'

/** Harm, and how a call may end of it. Anything else is a fault, above all an answer. */
const CUT = [
  'gzip',
  'deflate',
  'br',
  'twice',
  'drip-body',
  'drip-head',
  'silent',
  'endless-body',
  'endless-error',
  'endless-head',
  'endless-hints',
  'long-line',
  'long-length',
]
const REDIRECTS = ['300', '301', '302', '303', '305', '307', '308'].flatMap((status) => [status, `${status}-relative`])
/** What all of them may leave behind, collected: a leak of a dozen kilobytes a call would show. */
const LEFT_MB_MAX = 3
/** What the first of each kind, five abreast, may leave: inflaters and pools that are kept. */
const FIRST_MB_MAX = 10
/** What may be in use while they are under way, garbage among it. A bomb that went off is a hundred and more. */
const HIGH_MB_MAX = 50
const TIMEOUT_MS = 400
/** Calls of one kind at once. */
const ABREAST = 5
const clock = systemClock()

export const backendsCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const rounds = parts.rounds ?? (parts.mode === 'long' ? 20 : parts.ci ? 2 : 4)
  const failures: string[] = []
  const counts = {
    notations: NOTATIONS.length,
    answers: ANSWERS.length,
    redirects: REDIRECTS.length,
    cuts: 0,
    reached: 0,
  }
  const trap = await openTrap(() => counts.reached++)
  const hostile = await openHostile(trap.url)
  try {
    for (const host of NOTATIONS)
      if (urlFault(`http://${host}/`) === undefined) failures.push(`${JSON.stringify(host)} may stand in the settings`)
    for (const host of PLAIN)
      if (urlFault(`http://${host}/`) !== undefined) failures.push(`${host} may not stand in the settings`)
    await names(trap.port, failures)
    for (const kind of [...REDIRECTS, 'refresh']) {
      for (const result of await both(`${hostile.url}/${kind}`, 1)) {
        if (result.is !== 'failed' && kind !== 'refresh') failures.push(`${kind}: ${result.is}`)
      }
    }
    const mb = await cuts(hostile.url, rounds, failures, counts)
    if (mb.first > FIRST_MB_MAX) failures.push(`the first of each kind left ${mb.first} MB`)
    if (mb.left > LEFT_MB_MAX) failures.push(`${mb.left} MB are held for good`)
    if (mb.high > HIGH_MB_MAX) failures.push(`${mb.high} MB more were in use for a while, each time`)
    if (counts.reached) failures.push(`${counts.reached} requests reached the trap`)
    return [
      told(parts, startMs, {
        goal: 'R19',
        title:
          'back ends and applications: addresses in odd notations, names that lead inside, redirects, bombs, drips, endless answers',
        passed: failures.length === 0,
        counts: { ...counts, rounds, firstMb: mb.first, heldMb: mb.left, highMb: mb.high },
        failures,
        figure:
          `${counts.reached} of ${NOTATIONS.length + ANSWERS.length + REDIRECTS.length} ways in reached, ${mb.left} MB more held, ` +
          `${mb.high} MB in use for a while`,
      }),
    ]
  } finally {
    await hostile.stop()
    trap.stop()
  }
}

/** Names that lead inside, and names that do so only when they are asked again. */
async function names(port: number, failures: string[]): Promise<void> {
  const answer = (address: string) => [{ address, family: address.includes(':') ? 6 : 4 }]
  for (const address of ANSWERS) {
    for (const result of await both(`http://bank.example:${port}`, 1, (_host, _options, done) =>
      done(null, answer(address)),
    )) {
      if (result.is !== 'failed' || !result.detail.includes('ADDRESS_REFUSED'))
        failures.push(`${address} behind a name: ${JSON.stringify(result)}`)
    }
  }
  // The first answer is good and leads nowhere; all others lead here. What was checked is what is connected to.
  let asked = 0
  const turning: Resolve = (_host, _options, done) =>
    done(null, answer(asked++ % 2 ? '127.0.0.1' : '2001:4860:4860::8888'))
  for (let n = 0; n < 4; n++) {
    for (const result of await both(`http://bank.example:${port}`, 1, turning))
      if (result.is !== 'failed') failures.push('a name that turned was answered')
  }
  // Good and bad in one answer: the bad ones are left out.
  const mixed: Resolve = (_host, _options, done) =>
    done(null, [...answer('127.0.0.1'), ...answer('2001:4860:4860::8888')])
  for (const result of await both(`http://bank.example:${port}`, 1, mixed))
    if (result.is !== 'failed') failures.push('a mixed answer was connected to')
}

interface Cost {
  /** After the first of each kind. */
  first: number
  /** After all others. */
  left: number
  /** At the highest. */
  high: number
}

/** Answers by how many megabytes memory grew. */
async function cuts(url: string, rounds: number, failures: string[], counts: { cuts: number }): Promise<Cost> {
  // What large, honest answers cost is not counted: buffers and code that stay once they were needed.
  for (let n = 0; n < 30; n++) await both(`${url}/large`, ABREAST)
  const cold = await heldMb()
  for (const kind of CUT) await both(`${url}/${kind}`, ABREAST)
  const before = await heldMb()
  const highs = new Map(CUT.map((kind) => [kind, Infinity]))
  const guard = guardStretches()
  // A pause of the garbage collector falls into one round, not into each.
  const slow = new Map(CUT.map((kind) => [kind, ['']]))
  for (let n = 0; n < rounds; n++) {
    for (const kind of CUT) {
      guard.seen()
      const high = await highest(async () => {
        for (const result of await both(`${url}/${kind}`, ABREAST)) {
          counts.cuts++
          if (result.is !== 'failed') failures.push(`${kind} was answered: ${result.is}`)
        }
      })
      // A bomb goes off each time; the collector is late now and then.
      highs.set(kind, Math.min(highs.get(kind)!, high))
      const seen = guard.seen()
      if (seen.length === 0) slow.delete(kind)
      else if (slow.has(kind)) slow.set(kind, seen)
    }
    for (const result of await both(`${url}/good`, 1))
      if (result.is === 'failed' && result.why !== 'nonsense') failures.push(`afterwards: ${result.detail}`)
  }
  guard.stop()
  for (const [kind, seen] of slow) failures.push(`${kind}: ${seen.join(', ')}, in each round`)
  const rounded = (mb: number) => Math.max(0, Math.round(mb * 10) / 10)
  return {
    first: rounded(before - cold),
    left: rounded((await heldMb()) - before),
    high: rounded(Math.max(...highs.values())),
  }
}

/** How many megabytes more are in use at the highest while it runs. */
async function highest(run: () => Promise<void>): Promise<number> {
  const before = await heldMb(1)
  let high = before
  const watch = setInterval(() => {
    high = Math.max(high, usedMb())
  }, 5)
  await run().finally(() => clearInterval(watch))
  return high - before
}

/** The same address as a back end of ours and as an application, `abreast` calls of each at once. */
async function both(url: string, abreast: number, resolve?: Resolve): Promise<CallResult[]> {
  const looked = resolve ? { resolve } : {}
  const own = httpBackend(
    'own',
    { url, timeoutMs: TIMEOUT_MS },
    { clock, chance: Math.random, counters: { count: () => undefined }, ...looked },
  )
  const app = appBackend(
    'app',
    loadContract('africastalking'),
    { url, timeoutMs: TIMEOUT_MS },
    { clock, counters: { count: () => undefined }, log: silentLog, ...looked },
  )
  const call = (backend: Backend) =>
    backend.call(
      'turn',
      { serviceCode: '*1#', dialled: '*1#', text: '', input: '', sequence: 1, state: {} },
      {
        intention: 'e:1:1',
        epoch: 'e',
        msisdn: '67570000001',
        language: 'en',
        line: 'test',
        todayMs: 0,
        signal: AbortSignal.timeout(TIMEOUT_MS * 5),
      },
    )
  try {
    return await Promise.all([own, app].flatMap((backend) => Array.from({ length: abreast }, () => call(backend))))
  } finally {
    await Promise.all([own.close?.(), app.close?.()])
  }
}

async function openTrap(reached: () => void): Promise<{ url: string; port: number; stop(): void }> {
  const server = createServer(
    (_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('{}'),
  )
  server.on('connection', reached)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  return { port, url: `http://127.0.0.1:${port}/`, stop: () => (server.closeAllConnections(), server.close()) }
}

async function openHostile(trap: string): Promise<{ url: string; stop(): Promise<void> }> {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', join(packageRoot, 'test/campaigns/staging/hostile-server.ts'), trap],
    { cwd: packageRoot, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const gone = new Promise<void>((done) => child.once('exit', () => done()))
  for await (const line of createInterface({ input: child.stdout })) {
    return { url: `http://127.0.0.1:${line}`, stop: async () => void (child.kill('SIGKILL'), await gone) }
  }
  throw new Error('the hostile server does not start')
}
