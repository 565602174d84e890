/** Many subscribers dial at once. Counts, not times: whoever is acknowledged is shown a screen or a text. */
import { readPdu } from '../../../src/simulator/codec/index.ts'
import type { CampaignFixture } from './fixture.ts'

export interface Rush {
  dials: number
  acknowledged: number
  /** Saw a screen or a text. */
  shown: number
  /** Of these: the text of a daemon that has no time, not a screen. */
  busy: number
  /** Were acknowledged, and saw nothing. */
  mute: string[]
  /** By status of the response: were refused, and saw nothing. */
  refused: ReadonlyMap<number, number>
  /** Got no response at all. */
  unanswered: number
  /** How long those who were acknowledged waited from then on for what they saw, in milliseconds. */
  waitsMs: number[]
}

export interface RushOptions {
  /** All of them dial within this time, evenly. Default: at once. */
  overMs?: number
  code?: string
}

const BUSY = /busy/i

/** Dials once on each phone. Resolves when each has been shown something, was refused for good, or has waited. */
export async function rush(
  { smsc }: Pick<CampaignFixture, 'smsc'>,
  msisdns: readonly string[],
  { overMs = 0, code = '*123#' }: RushOptions = {},
): Promise<Rush> {
  const watched = watchResponses(smsc, new Set(msisdns))
  const shown = new Map<string, { text: string; atMs: number }>()
  const dial = async (msisdn: string, n: number) => {
    if (overMs > 0) await new Promise((done) => setTimeout(done, (overMs * n) / msisdns.length))
    const screen = await smsc
      .phone(msisdn)
      .dial(code)
      .catch(() => undefined)
    if (screen) shown.set(msisdn, { text: screen.text, atMs: performance.now() })
  }
  await Promise.all(msisdns.map(dial))
  watched.stop()
  for (const msisdn of msisdns) if (smsc.phone(msisdn).screen?.open) smsc.phone(msisdn).hangUp()
  const acknowledged = msisdns.filter((msisdn) => watched.statuses.get(msisdn)?.status === 0)
  const refused = new Map<number, number>()
  for (const [msisdn, { status }] of watched.statuses)
    if (status !== 0 && !shown.has(msisdn)) refused.set(status, (refused.get(status) ?? 0) + 1)
  return {
    dials: msisdns.length,
    acknowledged: acknowledged.length,
    shown: shown.size,
    busy: [...shown.values()].filter(({ text }) => BUSY.test(text)).length,
    mute: acknowledged.filter((msisdn) => !shown.has(msisdn)),
    refused,
    unanswered: msisdns.filter((msisdn) => !watched.statuses.has(msisdn)).length,
    waitsMs: acknowledged.flatMap((msisdn) => {
      const seen = shown.get(msisdn)
      return seen ? [Math.max(0, seen.atMs - watched.statuses.get(msisdn)!.atMs)] : []
    }),
  }
}

/** The last status that answered a dial of each; ESME_ROK stays. */
function watchResponses(smsc: CampaignFixture['smsc'], msisdns: ReadonlySet<string>) {
  const statuses = new Map<string, { status: number; atMs: number }>()
  const open = new Map<string, string>()
  const stop = smsc.watch((event) => {
    if (event.is !== 'pdu') return
    const { direction, octets, peer } = event.traced
    const decoded = readPdu(octets)
    if (!decoded.ok) return
    const { command, sequence, status, body } = decoded.pdu
    const name = `${peer} ${sequence}`
    if (direction === 'out' && command === 'deliver_sm' && msisdns.has(String(body['source_addr'])))
      open.set(name, String(body['source_addr']))
    if (direction !== 'in' || command !== 'deliver_sm_resp') return
    const msisdn = open.get(name)
    if (msisdn !== undefined && statuses.get(msisdn)?.status !== 0)
      statuses.set(msisdn, { status, atMs: performance.now() })
    open.delete(name)
  })
  return { statuses, stop }
}
