/** A line for tests, over real sockets, with its counters and its log at hand. */
import assert from 'node:assert/strict'
import type {
  Dialect,
  Line,
  LinkPort,
  OutageTold,
  OutgoingPdu,
  Pdu,
  SubmitOptions,
  SubmitOutcome,
} from '../../src/smpp/types.ts'
import type { LateResponse } from '../../src/smpp/session/window.ts'
import type { Log } from '../../src/base/log/port.ts'
import { smppLine, type LineDeps } from '../../src/smpp/session/line.ts'
import { lineSettings, type LineWishes } from '../../src/smpp/session/settings.ts'
import { statusPolicy } from '../../src/ussd/status-policy.ts'
import { realClock } from '../support/clock.ts'
import { startPeer, type Peer, type PeerConnection, type PeerManners } from '../support/peer.ts'
import { until } from '../support/services.ts'

export interface TestLine {
  line: Line
  requests: { pdu: Pdu; link: LinkPort }[]
  states: string[]
  late: LateResponse[]
  outages: OutageTold[]
  logged: { level: string; fields: object; message: string }[]
  counts: Record<string, number>
  /** Sum of a counter over all labels, or over those with this text in them. */
  count(name: string, label?: string): number
  /** Both books balance. */
  balance(): { rx: number; tx: number }
  bound(): Promise<void>
  stop(): Promise<void>
}

export interface TestLineOptions extends Partial<LineWishes> {
  port: number
  parts?: Partial<LineDeps>
  /** What the handler does; default: answers ESME_ROK at once. */
  handle?: LineDeps['onRequest']
  habits?: Partial<Dialect['habits']>
}

/** Times small enough for a test; but for answers, which a busy machine must not miss. */
const QUICK = {
  connectMs: 5_000,
  bindMs: 5_000,
  enquireMs: 5_000,
  enquireRespMs: 2_000,
  reconnectMs: 30,
  reconnectMaxMs: 120,
  steadyMs: 60_000,
  refusedMs: 400,
  refusedMaxMs: 800,
  takenMs: 30,
  takenForMs: 150,
  standbyMs: 100,
  unboundMs: 100,
  unbindMs: 300,
}

export function testLine(options: TestLineOptions): TestLine {
  const { port, parts, handle, habits, ...wishes } = options
  const settings = lineSettings({
    name: 'digicel',
    ...wishes,
    smsc: { hosts: [{ host: '127.0.0.1', port }], systemId: 'ussd', password: 'secret08', ...wishes.smsc },
    times: { ...QUICK, ...wishes.times },
  })
  const counts: Record<string, number> = {}
  const test: TestLine = {
    line: undefined as unknown as Line,
    requests: [],
    states: [],
    late: [],
    outages: [],
    logged: [],
    counts,
    count(name, label = '') {
      return Object.entries(counts)
        .filter(([key]) => key.split('{')[0] === name && key.includes(label))
        .reduce((sum, [, n]) => sum + n, 0)
    },
    balance() {
      const sum = (...names: string[]) => names.reduce((all, name) => all + test.count(name), 0)
      return {
        rx: test.count('smpp_rx') - sum('smpp_rx_handled', 'smpp_rx_duplicate', 'smpp_rx_rejected', 'smpp_rx_dropped'),
        tx:
          test.count('smpp_tx_submit') -
          sum('smpp_tx_ok', 'smpp_tx_refused', 'smpp_tx_timeout', 'smpp_tx_lost', 'smpp_tx_recalled'),
      }
    },
    bound: () => until(() => test.line.bound(), 'not bound'),
    stop: () => test.line.stop(0),
  }
  test.line = smppLine(settings, {
    dialect: dialectOf(habits),
    clock: realClock,
    chance: () => 0.5,
    log: logInto(test),
    instance: 'test',
    counters: {
      count(name, labels, by = 1) {
        const key = `${name}${JSON.stringify(labels)}`
        counts[key] = (counts[key] ?? 0) + by
      },
    },
    onRequest(pdu, link) {
      test.requests.push({ pdu, link })
      if (handle) return handle(pdu, link)
      link.respond(pdu, 0)
    },
    onState: (_, state) => test.states.push(state),
    onLate: (late) => test.late.push(late),
    onOutage: (told) => void test.outages.push(told),
    ...parts,
  })
  return test
}

function logInto(test: TestLine): Log {
  const level = (name: string) => (fields: object, message: string) =>
    void test.logged.push({ level: name, fields, message })
  return { debug: level('debug'), info: level('info'), warn: level('warn'), error: level('error') }
}

function dialectOf(habits: Partial<Dialect['habits']> = {}): Dialect {
  return {
    name: 'test',
    page: { septets: 182, ucs2: 80 },
    read: () => ({ is: 'ignore', why: 'test' }),
    write: () => {
      throw new Error('not used')
    },
    policy: statusPolicy,
    habits: {
      deliverResp: 'immediate',
      submitResp: 'prompt',
      unknownInput: 'expired',
      overload: 'text',
      messageIdUseless: false,
      messageIdBases: { response: 'as-is', receipt: 'as-is' },
      ...habits,
    },
  }
}

/** A submit_sm with that text. */
export function submit(text = 'x'): OutgoingPdu {
  return {
    command: 'submit_sm',
    body: { service_type: 'USSD', destination_addr: '67570000001', short_message: Buffer.from(text) },
    tlvs: [{ tag: 0x0501, value: Buffer.of(2) }],
  }
}

/** The most within a second, wherever it begins. */
export function mostInSecond(atMs: readonly number[]): number {
  const sorted = atMs.toSorted((a, b) => a - b)
  let [from, most] = [0, 0]
  for (const [to, at] of sorted.entries()) {
    while (sorted[from]! <= at - 1_000) from++
    most = Math.max(most, to - from + 1)
  }
  return most
}

/** That many milliseconds from now, on the clock of the lines under test. */
export function inMs(ms: number): number {
  return realClock.now() + ms
}

export interface LineTest {
  readonly peer: Peer
  readonly test: TestLine
  /** The first connection. */
  readonly link: PeerConnection
  start(manners?: Partial<PeerManners>, options?: Partial<TestLineOptions>): Promise<void>
  ussd(text?: string, ms?: number, more?: Partial<SubmitOptions>): Promise<SubmitOutcome>
  sms(text?: string, ms?: number, more?: Partial<SubmitOptions>): Promise<SubmitOutcome>
}

/** One line on one raw peer for each test of a suite; afterwards both are stopped, and the books must balance. */
export function lineTest(): LineTest {
  let peer: Peer
  let test: TestLine
  let link: PeerConnection
  const send =
    (lane: SubmitOptions['lane']) =>
    (text = 'x', ms = 5_000, more: Partial<SubmitOptions> = {}) =>
      test.line.submit(submit(text), { lane, deadline: inMs(ms), ...more })
  afterEach(async () => {
    await test.stop()
    await peer.stop()
    assert.deepEqual(test.balance(), { rx: 0, tx: 0 }, 'the books balance')
  })
  return {
    get peer() {
      return peer
    },
    get test() {
      return test
    },
    get link() {
      return link
    },
    async start(manners = {}, options = {}) {
      peer = await startPeer(manners)
      test = testLine({ port: peer.port, ...options })
      test.line.start()
      await until(() => test.line.states().every((row) => row.state === 'bound'), 'not bound')
      link = await peer.bound()
    },
    ussd: send('ussd'),
    sms: send('sms'),
  }
}
