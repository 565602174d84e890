/**
 * R4: octets that no SMSC should send. A million spoilt PDUs through framer, codec and dialects in this process, and
 * some thousands over TCP into a running daemon, which after each batch must answer enquire_link within a second (or be
 * bound again by then; on default timers in 17 s) and serve a subscriber.
 */
import { performance } from 'node:perf_hooks'
import type { Settings } from '../../../src/config/schema.ts'
import { seededChance } from '../../../src/simulator/smsc/chaos.ts'
import type { Dialect } from '../../../src/smpp/types.ts'
import type { Chance } from '../../../src/ussd/vocabulary.ts'
import { aftermath } from '../judging/aftermath.ts'
import { paceOf, type Pace } from '../settings.ts'
import { certainHarm } from '../judging/certain.ts'
import { isReady, metricsOf } from '../staging/daemon-process.ts'
import { fenced } from '../staging/fenced.ts'
import { reached, sleep, told, type Campaign, type CampaignDeps } from '../judging/outcome.ts'
import { cases, corpus, dialects } from '../pdu-corpus.ts'
import { watchOwnTime } from '../judging/pace.ts'
import { eat, framed, type Eaten } from '../pdu-eater.ts'
import { mutate } from '../pdu-mutators.ts'
import { openFixture, type CampaignFixture } from '../staging/fixture.ts'
import { guardStretches, stretchesOf } from '../judging/stretches.ts'
import { converse } from '../staging/subscriber.ts'

const PDUS = { ci: 100_000, bounded: 1_000_000, long: 20_000_000 }
/** On default timers a link that has to go is away for seconds, so there are fewer of them in a bounded run. */
const BATCHES = { ci: 12, bounded: 30, long: 2_000 }
const BATCH = 25
/**
 * Default timers: a PDU that stays incomplete is given up after 10 s (pduReadMs), and a link that was lost soon is bound
 * again within 5 s (servedMaxMs).
 */
const ALIVE_MS_MAX = { short: 1_000, defaults: 17_000 }
/** An SMSC that sent unbind is left alone for 5 s first (unboundMs). */
const AFTER_UNBIND_MS_MAX = { short: 8_000, defaults: 25_000 }
/** For a link that the batch before it ended. */
const BOUND_MS = 10_000
/** One PDU; far over it an expression or a loop grows with its input. */
const SLOW_MS_MAX = 250
const TIMES = 5
/** It is listened for so much longer, to tell how deaf it was. */
const DEAF_MS_MORE = 30_000
/** `texts.overload`, told apart from the text for a fault. */
const BUSY = 'Too many callers. Please try again later.'
const BUSY_MS = 1_000
const BUSY_MAX = 3
const UNBIND = 0x06

export const fuzzCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const size = parts.ci ? 'ci' : parts.mode
  const failures: string[] = []
  const inProcess = chew(parts, parts.pdus ?? PDUS[size], failures)
  const onWire = await overTcp(parts, BATCHES[size], failures)
  return [
    told(parts, startMs, {
      goal: 'R4',
      title: 'spoilt PDUs through framer, codec and dialects, and over TCP into a running daemon',
      failures,
      passed: failures.length === 0,
      figure:
        `${inProcess.pdus} in process (${inProcess.perSecond}/s, slowest ${inProcess.slowestMs} ms), ${onWire.sent} over TCP: ${failures.length} breaches, ` +
        `alive again after ${onWire.slowestMs} ms at most`,
      counts: {
        ...inProcess.eaten,
        overTcp: onWire.sent,
        batches: onWire.batches,
        boundAnew: onWire.rebinds,
        dialogues: onWire.dialogues,
        busy: onWire.busy,
      },
    }),
  ]
}

function chew({ seed, say }: CampaignDeps, pdus: number, failures: string[]) {
  const chance = seededChance(seed)
  const speak = dialects()
  const all = [...speak.values()]
  const samples = corpus()
  const eaten: Eaten = {}
  const startMs = performance.now()
  let slowestMs = 0
  const guard = guardStretches()
  const isOver = () => failures.length >= 8 || slowestMs > SLOW_MS_MAX
  for (let n = 0; n < pdus && !isOver(); n++) {
    const sample = any(samples, chance)
    // Mostly the dialect that it was said in; now and then one that it was not.
    const dialect: Dialect = chance() < 0.8 ? speak.get(sample.dialect)! : any(all, chance)
    const octets = mutate(sample.octets, chance, any(samples, chance).octets)
    try {
      const held = guard.held(() => {
        slowestMs = Math.max(
          slowestMs,
          leastMs(() => eat(octets, dialect, chance, eaten), slowestMs),
        )
      })
      failures.push(...held.map((what) => `PDU ${n} of ${sample.id}, ${dialect.name}: ${what}`))
    } catch (error) {
      failures.push(
        `PDU ${n} of ${sample.id}, ${dialect.name}: ${(error as Error).message.slice(0, 300)}: ${octets.toString('hex').slice(0, 400)}`,
      )
    }
  }
  guard.stop()
  if (slowestMs > SLOW_MS_MAX) failures.push(`one PDU took ${Math.round(slowestMs)} ms`)
  const perSecond = Math.round(pdus / ((performance.now() - startMs) / 1_000))
  say(`     ${pdus} spoilt PDUs, ${perSecond}/s: ${JSON.stringify(eaten)}`)
  return { pdus, perSecond, slowestMs: Math.round(slowestMs), eaten }
}

/** The machine may stop us in the middle of a PDU; it does not do so each time with the same one. */
function leastMs(run: () => void, noMore: number): number {
  let least = Infinity
  for (let n = 0; n < TIMES && least > noMore; n++) {
    const startMs = performance.now()
    run()
    least = Math.min(least, performance.now() - startMs)
  }
  return least
}

const any = <T>(all: readonly T[], chance: Chance): T => all[Math.floor(chance() * all.length)]!

/** A text of its own; in a short run pauses short enough that a link that had to go is there again within the second. */
function changed(settings: Settings, pace: Pace): void {
  settings.texts.overload = BUSY
  if (pace === 'defaults') return
  Object.assign(settings.lines[0]!.timers, {
    reconnectMs: 50,
    reconnectMaxMs: 200,
    refusedMs: 50,
    refusedMaxMs: 200,
    pduReadMs: 200,
  })
}

async function overTcp(deps: CampaignDeps, batches: number, failures: string[]) {
  const pace = paceOf(deps)
  const scene = await openFixture({ seed: deps.seed, pace, smsc: { screenMs: 30_000, traceMax: 500 } })
  const fence = await fenced(scene, (settings) => changed(settings, pace))
  const figures = { sent: 0, batches: 0, slowestMs: 0, rebinds: 0, dialogues: 0, busy: 0 }
  const stretches = stretchesOf(() => metricsOf(fence.adminPort))
  /** Whatever harm octets do, they do each time. */
  const one = async (name: string, octets: Buffer[], withinMs: number): Promise<void> => {
    failures.push(...(await certainHarm(() => send(name, octets, withinMs))))
  }
  const send = async (name: string, octets: Buffer[], withinMs: number): Promise<string[]> => {
    const wrong: string[] = []
    await reached(() => boundTo(scene) !== undefined, BOUND_MS)
    const peer = boundTo(scene)
    if (!peer) return [`${name}: not bound before it`]
    const links = fence.smsc.counts.connections
    for (const some of octets) peer.write(some)
    figures.sent += octets.length
    figures.batches++
    // Where neighbours keep the daemon from running, it is not deaf.
    const readMs = watchOwnTime([fence.daemon.pid])
    const aliveMs = (await alive(scene, withinMs + DEAF_MS_MORE)) ? readMs() : Infinity
    if (aliveMs > withinMs)
      wrong.push(`${name}: deaf for ${Math.round(aliveMs)} ms: ${Buffer.concat(octets).toString('hex').slice(0, 600)}`)
    if (withinMs === ALIVE_MS_MAX[pace]) figures.slowestMs = Math.max(figures.slowestMs, Math.round(aliveMs))
    figures.rebinds += fence.smsc.counts.connections - links
    figures.busy += await serves(scene, name, wrong)
    figures.dialogues++
    wrong.push(...(await stretches()))
    return wrong
  }
  try {
    for (const { id, octets, repeat } of cases()) {
      const copies = Array.from({ length: repeat }, () => octets)
      await one(id, copies, (hasUnbind(copies) ? AFTER_UNBIND_MS_MAX : ALIVE_MS_MAX)[pace])
    }
    const chance = seededChance(deps.seed + 2)
    const samples = corpus().filter((sample) => sample.dialect === 'standard')
    for (let n = 0; n < batches && failures.length < 8; n++) {
      const spoilt = Array.from({ length: BATCH }, () =>
        mutate(any(samples, chance).octets, chance, any(samples, chance).octets),
      )
      // The wait after unbind is a promise, and another test's.
      if (!hasUnbind(spoilt)) await one(`batch ${n}`, spoilt, ALIVE_MS_MAX[pace])
    }
    failures.push(...(await aftermath(fence)))
    if (!(await isReady(fence.adminPort)) || scene.smsc.binds().length === 0) failures.push('not ready at the end')
    return figures
  } finally {
    await fence.stop()
    await scene.close()
  }
}

const hasUnbind = (octets: readonly Buffer[]) => framed(octets).frames.some((frame) => frame.readUInt32BE(4) === UNBIND)

function boundTo({ smsc }: Pick<CampaignFixture, 'smsc'>) {
  return smsc.peers().find((candidate) => candidate.state === 'bound')
}

/** Whether an enquire_link is answered, on the link that there was or on the next one. */
async function alive({ smsc }: Pick<CampaignFixture, 'smsc'>, withinMs: number): Promise<boolean> {
  const startMs = performance.now()
  while (performance.now() - startMs < withinMs) {
    const peer = boundTo({ smsc })
    if (!peer) {
      await sleep(5)
      continue
    }
    const outcome = await new Promise<{ kind: string }>((done) => peer.request({ command: 'enquire_link' }, 100, done))
    if (outcome.kind === 'answered') return true
  }
  return false
}

let serial = 0

/**
 * A new subscriber walks a whole dialogue. After a flood the daemon may say for a while that it is busy; then another
 * one tries. Answers how many were told so.
 */
async function serves(scene: CampaignFixture, name: string, failures: string[]): Promise<number> {
  for (let busy = 0; ; busy++) {
    const { harmed, story } = await walks(scene)
    if (!harmed) return busy
    if (busy === BUSY_MAX || !story.at(-1)?.includes(BUSY)) {
      failures.push(`${name}: the dialogue after it went wrong: ${story.slice(-6).join(' · ')}`)
      return busy
    }
    await sleep(BUSY_MS)
  }
}

async function walks({
  stage,
  smsc,
  diary,
  chance,
}: CampaignFixture): Promise<{ harmed: boolean; story: readonly string[] }> {
  const msisdn = `6759${String(++serial).padStart(7, '0')}`
  await stage.enrol([msisdn])
  await stage.refill(3, { fromMs: 600_000, toMs: 3_600_000 })
  const harm = () => diary.hung.length + diary.undelivered + diary.odd.length + diary.foreign.length + diary.apologies
  const before = harm()
  const phone = smsc.phone(msisdn)
  phone.skipRepeats = true
  await converse(phone, diary, chance, { books: 1, hangsUp: 0, redials: 0 })
  return { harmed: harm() > before, story: phone.story }
}
