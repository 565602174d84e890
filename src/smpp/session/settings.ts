/** The settings of a line, and every default with its reason. */
import type { SecureVersion } from 'node:tls'
import { BIND_TIMES, type BindTimes } from '../../../machines/bind-times.ts'
import { PDU_OCTETS_MAX } from '../pdu/index.ts'
import type { Lane } from '../types.ts'

export interface Endpoint {
  host: string
  port: number
}

export interface TlsSettings {
  ca?: string | Buffer
  cert?: string | Buffer
  key?: string | Buffer
  passphrase?: string
  /** The name in the certificate. Default: the host. */
  servername?: string
  /** Default TLSv1.2. */
  minVersion?: SecureVersion
}

export interface SmscSettings {
  /** Tried in order at every attempt. Names are resolved each time. */
  hosts: Endpoint[]
  tls?: TlsSettings
  systemId: string
  password: string
  systemType: string
  interfaceVersion: number
  addrTon: number
  addrNpi: number
  addressRange: string
}

export interface LineLimits {
  windowSlots: number
  ussdShare: number
  queueMax: Record<Lane, number>
  /** SMS per second on the line. Undefined: we set no limit. */
  smsPerSecond?: number
  throttlePauseMs: number
  pduOctetsMax: number
  pduReadMs: number
  togetherMs: number
  togetherOctetsMax: number
  unansweredMax: number
  unansweredOctetsMax: number
  answerMs: number
  outOctetsMax: number
  drainMs: number
  leaveMs: number
}

export const LINE_LIMITS: LineLimits = {
  windowSlots: 10, // what Kannel allows, and what most operators accept without being asked
  ussdShare: 0.2, // a USSD answer has seconds, an SMS has hours
  queueMax: { ussd: 1_000, sms: 1_000 }, // a longer queue would wait past its deadlines
  throttlePauseMs: 1_000, // SMSCs count by the second
  pduOctetsMax: PDU_OCTETS_MAX,
  pduReadMs: 10_000, // a PDU takes one round trip; a half-sent one would hold the link for ever
  togetherMs: 4, // a fifth to a quarter less processor time; beside the second that a screen takes, nothing
  togetherOctetsMax: 2_500, // some twenty turns: more of them make a turn hardly cheaper
  // Open requests of the SMSC; above either the socket is not read. The responses to ours are behind them in the
  // stream: of 10,000 dials at once all must be read before the first screen is known to have arrived.
  unansweredMax: 10_000,
  unansweredOctetsMax: 4_194_304,
  answerMs: 60_000, // longer than any turn; requests that we never answer would fill the limit above
  outOctetsMax: 262_144, // octets that the peer has not taken; above this no SMS are written and nothing is read
  drainMs: 30_000, // a peer that takes nothing for that long is gone
  leaveMs: 2_000, // after unbind from the SMSC: for the responses in flight
}

export interface LineSettings {
  name: string
  /** Default: the name. */
  group?: string
  smsc: SmscSettings
  /** pair: a transmitter and a receiver. */
  bind: 'transceiver' | 'pair'
  /** How many binds (or pairs) are kept up at once. */
  links: number
  sms: { source: string; sourceTon: number; sourceNpi: number }
  limits: LineLimits
  times: BindTimes
}

/** What a caller must give; everything else has a default. */
export interface LineWishes {
  name: string
  group?: string
  smsc: Partial<SmscSettings> & Pick<SmscSettings, 'hosts' | 'systemId' | 'password'>
  bind?: LineSettings['bind']
  links?: number
  sms?: Partial<LineSettings['sms']>
  limits?: Partial<LineLimits>
  times?: Partial<BindTimes>
}

/** Fills in the defaults. */
export function lineSettings(wishes: LineWishes): LineSettings {
  return {
    name: wishes.name,
    ...(wishes.group ? { group: wishes.group } : {}),
    smsc: {
      systemType: '',
      interfaceVersion: 0x34, // 3.4; some SMSCs refuse a bind that says 5.0
      addrTon: 0,
      addrNpi: 0,
      addressRange: '',
      ...said(wishes.smsc),
    } as SmscSettings,
    bind: wishes.bind ?? 'transceiver',
    links: wishes.links ?? 1,
    sms: { source: '', sourceTon: 0, sourceNpi: 0, ...wishes.sms },
    limits: { ...LINE_LIMITS, ...said(wishes.limits) },
    times: { ...BIND_TIMES, ...said(wishes.times) },
  }
}

/** Without the keys that are undefined: they would hide the default. */
function said<T extends object>(wishes: T | undefined): Partial<T> {
  return Object.fromEntries(Object.entries(wishes ?? {}).filter(([, value]) => value !== undefined)) as Partial<T>
}
