/** A gateway with a real store in memory, a real dialect and a flow that a test makes up; the line writes all down. */
import { silentLog } from '../../src/base/log/port.ts'
import { createMetrics } from '../../src/base/metrics.ts'
import type { Backend } from '../../src/backend/types.ts'
import { createDialogues } from '../../src/dialogue/dialogues.ts'
import type { DialogueRegister } from '../../src/dialogue/types.ts'
import type { FlowEvent, Want } from '../../src/flow/engine/types.ts'
import { createOverload } from '../../src/gateway/admission.ts'
import { createGateway, type GatewayDeps } from '../../src/gateway/gateway.ts'
import { loadDialect } from '../../src/smpp/dialect/load.ts'
import type { Line, LinkPort, OutgoingPdu, SubmitOptions, SubmitOutcome } from '../../src/smpp/types.ts'
import { dialogueRegister } from '../../src/store/dialogues.ts'
import { memoryRegister } from '../../src/store/journal/memory.ts'
import type { Clock } from '../../src/ussd/vocabulary.ts'
import { LIMITS } from '../contract/dialogue-fixture.ts'
import { flowOf } from '../dialogue/turn-support.ts'
import { fakeClock, settle } from '../support/clock.ts'
import { deliver, DIALECTS } from '../smpp/dialect/support.ts'

export const LEASE_MS = 3_000
const TEXTS = { busy: 'busy', expired: 'expired', unknownCode: 'unknown code', overload: 'overload', oldPhone: 'old' }
const SETTINGS: GatewayDeps['limits'] = {
  turnMs: 20_000,
  leaseMs: LEASE_MS,
  takeoversMax: 2,
  resumeMs: LIMITS.resumeMs,
  tombstoneMs: LIMITS.tombstoneMs,
  totalMs: LIMITS.totalMs,
  openMax: 1_000,
  turnsMax: 100,
  language: 'en',
}

export interface GatewayTest {
  wants: Record<string, Want>
  next?: (event: FlowEvent) => string
  /** The back end `shop`. */
  shop?: Backend
  limits?: Partial<GatewayDeps['limits']>
  clock?: Partial<Clock>
  /** What the SMSC says to a submit. Default: that it has it. */
  onSubmit?: (text: string) => SubmitOutcome
  habits?: Partial<Line['dialect']['habits']>
  perSubscriber?: { perSecond: number; burst: number }
  more?: Partial<GatewayDeps>
}

/** Kinds of USSD in the standard dialect: its ussd_service_op. */
const OP = { begin: '01', input: '12', abort: '21' } as const

const LINK = 'main/0#t.1'

export function gatewayFixture({
  wants,
  next,
  shop,
  limits,
  clock: other,
  onSubmit,
  perSubscriber,
  habits,
  more,
}: GatewayTest) {
  const time = fakeClock()
  const clock: Clock = { ...time, ...other }
  /** In order: `stored`, `status 0` (a response to the SMSC), `screen …` (a submit). */
  const told: string[] = []
  /** What happens before the next write of the store is done. */
  const writes: (() => Promise<unknown>)[] = []
  const register = dialogueRegister({ register: memoryRegister({}), limits: LIMITS })
  const watched: DialogueRegister = {
    ...register,
    async write(...of) {
      await writes.shift()?.()
      const written = await register.write(...of)
      if (written) told.push('stored')
      return written
    },
  }
  const dialogues = createDialogues({ register: watched, limits: LIMITS })
  const standard = loadDialect('standard', DIALECTS)
  const dialect = { ...standard, habits: { ...standard.habits, ...habits } }
  const links: (string | undefined)[] = []
  const line = {
    name: 'main',
    group: 'main',
    dialect,
    bound: () => true,
    isGone: () => false,
    waitMs: () => 0,
    submit: async ({ body }: OutgoingPdu, { mayLeave, link, leaving }: SubmitOptions): Promise<SubmitOutcome> => {
      const may = mayLeave?.() ?? 'yes'
      if (may !== 'yes') return { kind: 'unsent', why: may }
      const text = (body.short_message as Buffer).toString('latin1')
      leaving?.leaves(LINK)
      told.push(`screen ${text}`)
      leaving?.left()
      links.push(link)
      return onSubmit?.(text) ?? { kind: 'ok', messageId: '', pdu: {} as never }
    },
  } as unknown as Line
  const link: LinkPort = { id: LINK, line: 'main', respond: (_, status) => void told.push(`status ${status}`) }
  const { flow, stepped } = flowOf('shop', 'shop@1', wants, next)
  const metrics = createMetrics({ process: false })
  let serial = 0
  const gateway = createGateway({
    dialogues,
    flows: { current: () => flow, pinned: async () => flow, loaded: () => flow },
    services: [{ code: '*123#', flow: 'shop' }],
    backend: () => shop,
    line: () => line,
    onReceipt: async () => undefined,
    onSms: async () => undefined,
    clock,
    chance: () => 0.5,
    mint: { epoch: () => `e${++serial}`, token: () => `t${++serial}` },
    log: silentLog,
    metrics,
    limits: { ...SETTINGS, ...limits },
    overload: createOverload(perSubscriber ?? { perSecond: 1_000, burst: 1_000 }, () => undefined),
    deferred: { mayHold: () => false, hold: async () => undefined as never },
    texts: TEXTS,
    ...more,
  })
  const heard = (op: string, text: string, number = '0700') =>
    gateway.onRequest(
      deliver({ body: { short_message: Buffer.from(text) }, tlvs: { 0x0501: op, 0x1383: number } }),
      line,
      link,
    )
  return {
    time,
    told,
    links,
    writes,
    stepped,
    dialogues,
    gateway,
    metrics,
    /** How many messages came to this. */
    messages: (result: string) => metrics.value('ussd_messages_total', { result }),
    /** How many dialogues ended so. */
    ends: (reason: string) => metrics.value('ussd_dialogues_total', { reason }),
    dial: (number?: string, code = '*123#') => heard(OP.begin, code, number),
    press: (text: string, number = '0702') => heard(OP.input, text, number),
    hangUp: (number?: string) => heard(OP.abort, '', number),
    settle,
  }
}
