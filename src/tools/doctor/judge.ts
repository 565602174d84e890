/** Verdicts on what was measured. Pure, so that they can be tested with behaviour that no simulator has. */

export interface Stats {
  min: number
  median: number
  max: number
}

export function statsOf(values: readonly number[]): Stats {
  const sorted = values.toSorted((a, b) => a - b)
  return { min: sorted[0] ?? 0, median: sorted[sorted.length >> 1] ?? 0, max: sorted.at(-1) ?? 0 }
}

export type MessageIdRelation = 'same' | 'case' | 'zeros' | 'hex-to-dec' | 'dec-to-hex' | 'unrelated'

/** In which form the id of a receipt repeats the id of the response. */
export function idForm(response: string, receipt: string): MessageIdRelation {
  if (response === receipt) return 'same'
  if (response.toLowerCase() === receipt.toLowerCase()) return 'case'
  const bare = (id: string) => id.toLowerCase().replace(/^0+(?=.)/, '')
  if (bare(response) === bare(receipt)) return 'zeros'
  if (isHex(response) && isDec(receipt) && BigInt(`0x${response}`) === BigInt(receipt)) return 'hex-to-dec'
  if (isDec(response) && isHex(receipt) && BigInt(response) === BigInt(`0x${receipt}`)) return 'dec-to-hex'
  return 'unrelated'
}

const isHex = (id: string) => /^[0-9a-f]{1,32}$/i.test(id)
const isDec = (id: string) => /^\d{1,32}$/.test(id)

export interface SentSms {
  id: string
  /** When its response came, and its position among all PDUs. */
  answeredMs: number
  answeredOrder: number
}

export interface ReceivedReceipt {
  /** From receipted_message_id; '' if it is absent. */
  tlvId: string
  /** From the text; '' if it is absent. */
  textId: string
  state: string
  atMs: number
  order: number
}

export interface ReceiptFacts {
  /** SMS that have a receipt with their id, in whatever form. */
  matched: number
  /** Receipts whose id matches no SMS. */
  orphans: number
  /** Receipts that came before the submit_sm_resp. */
  early: number
  /** More than one receipt for the same SMS and state. */
  repeats: number
  forms: MessageIdRelation[]
  carries: 'parameters' | 'text' | 'both' | 'nothing'
  /** Times after the response. */
  delay: Stats
  states: string[]
}

export function receiptFacts(sent: readonly SentSms[], received: readonly ReceivedReceipt[]): ReceiptFacts {
  const forms = new Set<MessageIdRelation>()
  const states = new Set<string>()
  const seen = new Map<string, number>()
  const delays: number[] = []
  let [orphans, early] = [0, 0]
  for (const receipt of received) {
    const id = receipt.tlvId || receipt.textId
    const found = bestOf(sent, id)
    states.add(receipt.state)
    if (!found) {
      orphans++
      continue
    }
    forms.add(found.form)
    const key = `${found.sms.id} ${receipt.state}`
    seen.set(key, (seen.get(key) ?? 0) + 1)
    if (receipt.order < found.sms.answeredOrder) early++
    delays.push(Math.max(0, receipt.atMs - found.sms.answeredMs))
  }
  const [tlv, text] = [received.some((it) => it.tlvId !== ''), received.some((it) => it.textId !== '')]
  return {
    matched: new Set([...seen.keys()].map((key) => key.split(' ')[0])).size,
    orphans,
    early,
    repeats: [...seen.values()].reduce((sum, n) => sum + n - 1, 0),
    forms: [...forms],
    carries: tlv && text ? 'both' : tlv ? 'parameters' : text ? 'text' : 'nothing',
    delay: statsOf(delays),
    states: [...states],
  }
}

/** The simplest form wins: `10` is both hexadecimal and decimal. */
const PLAINEST: readonly MessageIdRelation[] = ['same', 'case', 'zeros', 'hex-to-dec', 'dec-to-hex']

function bestOf(sent: readonly SentSms[], id: string): { sms: SentSms; form: MessageIdRelation } | undefined {
  for (const form of PLAINEST) {
    const sms = sent.find((it) => idForm(it.id, id) === form)
    if (sms) return { sms, form }
  }
  return undefined
}

export interface Flown {
  /** Undefined: no response at all. */
  status: number | undefined
  ms: number
}

export interface WindowFacts {
  accepted: number
  /** Status → how often. */
  refused: ReadonlyMap<number, number>
  silent: number
  /**
   * The last response took at least three times as long as the first, by a noticeable amount: the SMSC handles the
   * requests one by one.
   */
  grows: boolean
  first: number
  last: number
}

const GROWS = { times: 3, ms: 50 }

/** The facts about requests that were written at once, in order. */
export function windowFacts(flown: readonly Flown[]): WindowFacts {
  const refused = new Map<number, number>()
  for (const { status } of flown)
    if (status !== undefined && status !== 0) refused.set(status, (refused.get(status) ?? 0) + 1)
  const times = flown.filter((it) => it.status === 0).map((it) => it.ms)
  const [first, last] = [times[0] ?? 0, times.at(-1) ?? 0]
  return {
    accepted: times.length,
    refused,
    silent: flown.filter((it) => it.status === undefined).length,
    grows: times.length > 1 && last >= first * GROWS.times && last - first >= GROWS.ms,
    first,
    last,
  }
}

export interface RateStep {
  perSecond: number
  sent: number
  throttled: number
  status?: number
}

export interface RateFacts {
  /** The highest rate that went through completely. 0: none. */
  best: number
  /** The lowest rate that was throttled. */
  worst?: number
  status?: number
}

export function rateFacts(steps: readonly RateStep[]): RateFacts {
  const bad = steps.filter((it) => it.throttled > 0)
  const worst = bad.length ? Math.min(...bad.map((it) => it.perSecond)) : undefined
  const good = steps
    .filter((it) => it.throttled === 0 && (worst === undefined || it.perSecond < worst))
    .map((it) => it.perSecond)
  const status = bad.find((it) => it.status !== undefined)?.status
  return {
    best: Math.max(0, ...good),
    ...(worst === undefined ? {} : { worst }),
    ...(status === undefined ? {} : { status }),
  }
}

/** The next rate to try. Undefined: enough is known. It doubles until the SMSC throttles, then halves the gap once. */
export function nextRate(steps: readonly RateStep[]): number | undefined {
  if (steps.length === 0) return 2
  const { best, worst } = rateFacts(steps)
  if (worst === undefined) return steps.at(-1)!.perSecond * 2
  const middle = Math.floor((best + worst) / 2)
  return middle > best &&
    !steps.some((it) => it.perSecond === middle) &&
    steps.filter((it) => it.throttled > 0).length < 3
    ? middle
    : undefined
}

/** How the dialled code arrived: as septets one per octet, packed, or as UCS-2. */
export function dialledAs(octets: Buffer, code: string): 'unpacked' | 'packed' | 'ucs2' | 'unclear' {
  if (octets.includes(code)) return 'unpacked'
  if (octets.includes(Buffer.from(code, 'utf16le').swap16())) return 'ucs2'
  return unpack(octets).includes(code) ? 'packed' : 'unclear'
}

/** 3GPP TS 23.038 §6.1.2.1.1. Digits, * and # are the same in ASCII and in the default alphabet. */
function unpack(octets: Buffer): string {
  let said = ''
  for (let bit = 0; bit + 7 <= octets.length * 8; bit += 7) {
    const pair = (octets[bit >> 3]! | ((octets[(bit >> 3) + 1] ?? 0) << 8)) >> (bit & 7)
    said += String.fromCharCode(pair & 0x7f)
  }
  return said
}
