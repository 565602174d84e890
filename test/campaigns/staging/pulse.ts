/**
 * Subscribers at a steady rate, whatever becomes of them: the measure of how others fare while something goes on. Each
 * dials, reads the first screen, leaves by Exit. Figures are medians over slices of a second or so: a stall of the
 * machine then costs its slice and not the verdict.
 */
import type { Phone } from '../../../src/simulator/phone/phone.ts'
import { percentile } from '../judging/outcome.ts'
import { numbered, type CampaignFixture } from './fixture.ts'

export interface Pulse {
  /** From a key to its screen; `atMs` on the clock of performance.now. */
  samples: { atMs: number; ms: number }[]
  /** Screens that said that we are busy: polite, and counted. */
  busy: number
  /** What did not come, or was not what it should be. */
  failures: string[]
  /** Resolves when the last dialogue is over. */
  stop(): Promise<void>
}

const SUBSCRIBERS = 200
const SLICE_MS = 1_000
let serial = 0

export async function startPulse({ smsc, stage }: CampaignFixture, perSecond: number): Promise<Pulse> {
  const msisdns = Array.from({ length: SUBSCRIBERS }, () => `6755${String(++serial).padStart(7, '0')}`)
  await stage.enrol(msisdns)
  const free = msisdns.map((msisdn) => numbered(smsc.phone(msisdn)))
  const pulse: Pulse = { samples: [], busy: 0, failures: [], stop }
  const open = new Set<Promise<void>>()
  const timer = setInterval(() => {
    const phone = free.shift()
    if (!phone) return
    const one = visit(phone, pulse).finally(() => {
      free.push(phone)
      open.delete(one)
    })
    open.add(one)
  }, 1_000 / perSecond)
  async function stop(): Promise<void> {
    clearInterval(timer)
    await Promise.all(open)
  }
  return pulse
}

async function visit(phone: Phone, pulse: Pulse): Promise<void> {
  const timed = async (expected: RegExp, run: () => Promise<{ text: string }>): Promise<boolean> => {
    const atMs = performance.now()
    const { text } = await run()
    pulse.samples.push({ atMs, ms: performance.now() - atMs })
    const isBusy = text.startsWith('Service busy')
    if (isBusy) pulse.busy++
    else if (!expected.test(text)) throw new Error(`shown ${JSON.stringify(text.slice(0, 80))}`)
    return !isBusy
  }
  try {
    if (await timed(/^Welcome/, () => phone.dial('*123#')))
      await timed(/^Thank you|^Welcome, /, () => phone.answer('4'))
    if (phone.screen?.open) phone.hangUp()
  } catch (error) {
    pulse.failures.push((error as Error).message.slice(0, 300))
  }
}

/** The median over slices of the p-th percentile in each; `during` says which moments count. */
export function typical(samples: Pulse['samples'], p: number, during: (atMs: number) => boolean): number {
  const slices = new Map<number, number[]>()
  for (const { atMs, ms } of samples) {
    if (!during(atMs)) continue
    const slice = Math.floor(atMs / SLICE_MS)
    slices.set(slice, [...(slices.get(slice) ?? []), ms])
  }
  return percentile(
    [...slices.values()].map((all) => percentile(all, p)),
    50,
  )
}
