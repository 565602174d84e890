/** Subscribers and daemons for tests of dialogue stores: short ways to say what the network and a turn do. */
import type {
  DialogueKey,
  DialogueLimits,
  DialogueStore,
  PlayAtOnce,
  Resting,
  TakeResult,
  Taking,
} from '../../src/dialogue/types.ts'
import type { RecordingKept } from '../../src/store/dialogues.ts'
import type { EndReason, ReturnPath } from '../../src/ussd/vocabulary.ts'

export const LIMITS: DialogueLimits = {
  idleMs: 60_000,
  totalMs: 180_000,
  tombstoneMs: 120_000,
  resumeMs: 300_000,
  confirmMs: 12_000,
  snapshotOctetsMax: 2_000,
  duplicateBeginMs: 10_000,
}
/** What a daemon records of dialogues, with room for so many records. */
export function recordingOf(max = 6_400, onFull: (count: number) => void = () => undefined): RecordingKept {
  return { instance: 'd1', serviceOf: ({ code }) => ({ code: code.slice(0, 5), channel: 'ussd' }), max, onFull }
}

export const LEASE_MS = 3_000
export const T0 = Date.parse('2025-05-01T09:00:00+10:00')

export const PATH: ReturnPath = { from: [1, 1, '67570000001'], to: [0, 1, '123'], serviceType: 'USSD', carrier: '0a01' }

/** A subscriber at one moment. Each call says what differs from the usual. */
export interface Said {
  msisdn?: string
  group?: string
  network?: string
  text?: string
  step?: number | null
  kind?: 'input' | 'notify-ack'
  code?: string
  link?: string
  token?: string
  epoch?: string
  atMs?: number
  path?: Partial<ReturnPath>
  copyMs?: number
  /** This daemon stood still from then until now. */
  stillFromMs?: number
  /** Whether the other link, on which the reply went out, is closed. Default true. */
  isGone?: boolean
}

export interface Rested {
  token: string
  epoch?: string
  step?: number | null
  link?: string
  text?: string
  ended?: EndReason | null
  atMs?: number
  snapshot?: Resting['snapshot']
  held?: Resting['held']
  heard?: Resting['step']
}

let serial = 0
function fresh(what: string): string {
  return `${what}-${++serial}`
}

export function dialogueFixture(store: DialogueStore) {
  const key = (said: Said = {}): DialogueKey => ({ group: said.group ?? 'main', msisdn: said.msisdn ?? '67570000001' })
  const taking = (said: Said, kind: Taking['answer']['kind']): Taking => ({
    key: key(said),
    network: said.network ?? '17',
    code: kind === 'begin' ? (said.code ?? '*123#') : '',
    line: 'akiba',
    answer: { kind, text: said.text ?? '', step: said.step ?? null },
    link: said.link ?? 'link-a',
    returnPath: { ...PATH, ...said.path },
    token: said.token ?? fresh('token'),
    nowMs: said.atMs ?? T0,
    leaseUntilMs: (said.atMs ?? T0) + LEASE_MS,
    epoch: said.epoch ?? fresh('epoch'),
    copyMs: said.copyMs,
    still: said.stillFromMs === undefined ? undefined : { fromMs: said.stillFromMs, toMs: said.atMs ?? T0 },
    isGone: () => said.isGone ?? true,
  })
  const begin = (said: Said = {}) => store.open(taking(said, 'begin'))
  const bury = (said: Said = {}, untilMs = T0 + LIMITS.tombstoneMs) =>
    store.bury(taking(said, 'begin'), untilMs, said.atMs ?? T0)
  const answer = (said: Said = {}, atOnce?: PlayAtOnce) =>
    store.take(taking({ text: '1', ...said }, said.kind ?? 'input'), atOnce)
  const rest = async (rested: Rested, said: Said = {}): Promise<boolean> => {
    const epoch = rested.epoch ?? (await store.find(key(said)))?.epoch ?? ''
    return store.rest({
      key: key(said),
      epoch,
      token: rested.token,
      held: rested.held,
      step: rested.heard,
      nowMs: rested.atMs ?? T0,
      revision: 'dental@9f2c01ab77de',
      snapshot: rested.snapshot ?? { value: 'main', context: { page: 1 } },
      ended: rested.ended ?? null,
      reply: {
        action: rested.ended ? 'end' : 'continue',
        text: rested.text ?? 'Welcome to Akiba\n1. Balance',
        step: rested.step ?? null,
        link: rested.link ?? 'link-a',
      },
    })
  }
  const asked = async (said: Said = {}, rested: Partial<Rested> = {}): Promise<string> => {
    const token = rested.token ?? fresh('token')
    const { record } = expectIs(await begin({ ...said, token }), 'opened')
    await rest({ epoch: record.epoch, atMs: said.atMs ?? T0, ...rested, token }, said)
    return record.epoch
  }
  return {
    key,
    begin,
    bury,
    answer,
    rest,
    /** A dialogue that rests on its first question. */
    asked,
    /** A dialogue whose turn 2 is taken. */
    async taken(said: Said = {}): Promise<{ epoch: string; token: string }> {
      const epoch = await asked({ ...said, text: '' })
      const token = fresh('token')
      expectIs(await answer({ ...said, token }), 'next')
      return { epoch, token }
    },
    find: (said: Said = {}) => store.find(key(said)),
    drop: (which: { network?: string; epoch?: string } = {}, said: Said = {}, reason: EndReason = 'subscriber-abort') =>
      store.drop(key(said), which, reason, said.atMs ?? T0),
    overdue: (atMs: number, token = 'sweeper', limit = 100, farewell?: Parameters<DialogueStore['overdue']>[4]) =>
      store.overdue(atMs, limit, token, atMs + LEASE_MS, farewell),
    /** Confirms, and waits until the store has seen it: it answers nothing, but keeps its place in the queue. */
    async confirm(epoch: string, turn = 1, said: Said = {}) {
      const found = await store.find(key(said)).catch(() => null)
      if (found) store.confirm({ ...found, epoch, turn })
      await new Promise((done) => setImmediate(done))
      await store.find(key(said))
    },
  }
}

/** Narrows an answer, or fails with what it was. */
export function expectIs<K extends TakeResult['is']>(taken: TakeResult, is: K): Extract<TakeResult, { is: K }> {
  if (taken.is !== is) throw new Error(`expected ${is}, got ${taken.is}`)
  return taken as Extract<TakeResult, { is: K }>
}
