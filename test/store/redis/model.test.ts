import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import type { DialogueRecord, DialogueStore } from '../../../src/dialogue/types.ts'
import { journalDialogues } from '../../../src/store/journal/store.ts'
import { redisDialogues } from '../../../src/store/redis/store.ts'
import { REDIS_OPTIONS } from '../../../src/store/redis/servers.ts'
import { LEASE_MS, LIMITS, PATH, T0 } from '../../contract/dialogue-fixture.ts'
import { describeWith, services } from '../../support/services.ts'

/** Few values of everything, so that sequences meet themselves. */
const step = fc.record({
  call: fc.constantFrom(
    'open',
    'open',
    'bury',
    'take',
    'take',
    'take',
    'rest',
    'rest',
    'rest',
    'confirm',
    'renew',
    'drop',
    'overdue',
  ),
  msisdn: fc.constantFrom('67570000001', '67570000001', '67570000001', '67570000002'),
  network: fc.constantFrom('', '17', '17', '17', 'a b'),
  text: fc.constantFrom('', '1', '2 "x"'),
  code: fc.constantFrom('*123#', '*124#'),
  step: fc.constantFrom(null, null, 4, 5),
  replied: fc.constantFrom(null, 4, 5),
  link: fc.constantFrom('link-a', 'link-b'),
  kind: fc.constantFrom('input', 'input', 'input', 'notify-ack'),
  token: fc.constantFrom('own', 'own', 'own', 'own', '-t1', 't2'),
  ended: fc.constantFrom(null, null, null, 'completed', 'failed'),
  waitMs: fc.constantFrom(
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    1,
    500,
    LEASE_MS,
    LIMITS.duplicateBeginMs,
    LIMITS.confirmMs,
    LIMITS.idleMs,
    LIMITS.tombstoneMs,
  ),
  beginOp: fc.constantFrom(undefined, 0, 1),
  copyMs: fc.constantFrom(undefined, undefined, 501, 2 * LIMITS.tombstoneMs),
  by: fc.constantFrom('nothing', 'epoch', 'network', 'other'),
  /** Which of the daemons on Redis it comes to. */
  daemon: fc.constantFrom(0, 0, 0, 1),
} as const)

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** What both stores have in common at a step: time, and what the one before left. */
interface Now {
  n: number
  atMs: number
  epoch: string
  token: string
  turn: number
}

/** One call on one store. The epoch, token and turn of the model are used on both, or nothing would ever fit. */
async function call(store: DialogueStore, s: Step, now: Now): Promise<unknown> {
  const key = { group: 'main', msisdn: s.msisdn }
  const { atMs, epoch, token } = now
  const kind = s.call === 'open' || s.call === 'bury' ? 'begin' : s.kind
  const { beginOp, copyMs } = s
  const taking = {
    key,
    network: s.network,
    code: kind === 'begin' ? s.code : '',
    line: s.link,
    link: s.link,
    token,
    nowMs: atMs,
    leaseUntilMs: atMs + LEASE_MS,
    epoch: `epoch ${now.n}`,
    copyMs,
    answer: { kind, text: kind === 'input' ? s.text : '', step: s.step },
    returnPath: { ...PATH, carrier: String(now.n), ...(beginOp === undefined ? {} : { beginOp }) },
  } as const
  switch (s.call) {
    case 'open':
      return store.open(taking)
    case 'bury':
      return s.network === '' || store.bury(taking, atMs + (copyMs ?? LIMITS.tombstoneMs), atMs)
    case 'take':
      return store.take(taking)
    case 'rest':
      return store.rest({
        key,
        epoch,
        token,
        nowMs: atMs,
        revision: 'r@1',
        snapshot: { n: now.n, text: s.text },
        ended: s.ended,
        reply: { action: s.ended ? 'end' : 'continue', text: s.text, step: s.replied, link: s.link },
      })
    case 'confirm': {
      const record = await store.find(key)
      if (record) store.confirm({ ...record, epoch, turn: now.turn })
      await new Promise((done) => setImmediate(done))
      return 'confirmed'
    }
    case 'renew':
      return store.renew(key, epoch, token, atMs + 2 * LEASE_MS)
    case 'drop': {
      const which = {
        nothing: {},
        epoch: { epoch },
        network: { network: s.network },
        other: { epoch: 'other', network: s.network },
      }
      return store.drop(key, which[s.by], 'network-abort', atMs)
    }
    default:
      return store.overdue(atMs, 100, token, atMs + LEASE_MS)
  }
}

/** Both are the same decisions over another register. */
describeWith(['redis'], 'the two dialogue stores', () => {
  let client: Redis
  before(() => {
    client = new Redis(services.redisUrl!, { ...REDIS_OPTIONS, enableOfflineQueue: true })
  })
  after(() => client?.disconnect())

  it('give the same answers to the same calls', async function () {
    this.timeout(240_000) // some 20,000 round trips, one after the other: 18 s where nothing else runs
    let run = 0
    const seen = new Set<string>()
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }), async (steps) => {
        const prefix = `model${process.pid}-${++run}`
        const memory = await journalDialogues({ limits: LIMITS })
        const onOutdated = () => seen.add('outdated')
        const daemon = () => redisDialogues({ client, prefix, limits: LIMITS, onOutdated })
        // Each recalls what it wrote last, which the other may have replaced.
        const daemons = [await daemon(), await daemon()]
        const owners = new Map<string, string>()
        let atMs = T0
        for (const [n, s] of steps.entries()) {
          atMs += s.waitMs
          const redis = daemons[s.daemon]!
          const key = { group: 'main', msisdn: s.msisdn }
          const stands = await memory.find(key)
          const mint = s.call === 'open' || s.call === 'take' || s.call === 'overdue'
          // No two daemons ever mint the same.
          const token =
            s.token !== 'own' ? `${s.token}${s.daemon || ''}` : mint ? `own${n}` : (owners.get(s.msisdn) ?? 'none')
          const now = { n, atMs, token, epoch: stands?.epoch ?? 'none', turn: stands?.turn ?? 0 }
          const [expected, answered] = [told(await call(memory, s, now)), told(await call(redis, s, now))]
          assert.deepEqual(answered, expected, `step ${n}: ${JSON.stringify(s)}`)
          seen.add(outcome(s.call, expected))
          for (const {
            key: { msisdn },
          } of takenBy(expected))
            owners.set(msisdn, token)
          const [mine, other] = [await memory.find(key), await redis.find(key)]
          // Redis forgets tombstones by its own clock.
          if (mine || other?.status !== 'ended') assert.deepEqual(other, mine, `after step ${n}: ${JSON.stringify(s)}`)
        }
      }),
      { numRuns: 150, ...(process.env.FC_SEED ? { seed: Number(process.env.FC_SEED) } : {}) },
    )
    const keys = await client.keys(`model${process.pid}-*`)
    if (keys.length > 0) await client.del(keys)
    for (const is of [
      'open opened',
      'open repeat',
      'bury true',
      'bury false',
      'take next',
      'take repeat',
      'take busy',
      'take unknown',
      'rest true',
      'rest false',
      'renew true',
      'drop record',
      'overdue abandoned',
      'overdue unconfirmed',
      'overdue ended',
      'outdated',
    ]) {
      assert.ok(seen.has(is), `no sequence came to '${is}': the property shows less than it says`)
    }
  })
})

/** Without versions: chance is in them. */
function told(answer: unknown): unknown {
  return JSON.parse(JSON.stringify(answer ?? null, (name, value: unknown) => (name === 'held' ? undefined : value)))
}

/** What this call took: a rest of it with the same token is accepted. */
function takenBy(answer: unknown): DialogueRecord[] {
  const all = (Array.isArray(answer) ? answer : [answer]) as ({ is?: string; record?: DialogueRecord } | null)[]
  return all.flatMap((one) => (['opened', 'next', 'abandoned'].includes(one?.is ?? '') ? [one!.record!] : []))
}

function outcome(name: string, answer: unknown): string {
  const one = (Array.isArray(answer) ? answer[0] : answer) as { is?: string } | boolean | null
  if (one === null || typeof one !== 'object') return `${name} ${one}`
  return `${name} ${one.is ?? 'record'}`
}
