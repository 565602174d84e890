/**
 * USSD that we begin: the first screen of a flow put on a handset, its answers dealt with as in any dialogue; or a text
 * that only wants to be read. What cannot be shown may be owed as an SMS instead.
 */
import type { Backend } from '../backend/index.ts'
import {
  playTurn,
  turned,
  type Turned,
  type DialogueKey,
  type DialogueRecord,
  type DialogueStore,
} from '../dialogue/index.ts'
import type { FlowRegistry } from '../flow/engine/index.ts'
import type { Log, Metrics } from '../base/index.ts'
import type { Line, SubmitOutcome } from '../smpp/index.ts'
import { fits, type Chance, type Clock, type ReturnPath, type UssdReply } from '../ussd/index.ts'
import { firstPage, textFlow } from './pages.ts'
import { pushRefusalOf, type PushRefusal } from './refusal.ts'
import { pushCode, replyIn } from './reply.ts'

export interface PushRequest {
  msisdn: string
  /** Default: the first one that is bound. */
  line?: string
  /** The flow that is shown; its answers go on in it. */
  flow: string
  /** Default: the one that the subscriber chose, else the daemon's. */
  language?: string
  /** Not shown by then: not shown any more. */
  ttlMs: number
  /** What is owed as an SMS if it is not shown. */
  sms?: string
}

export interface NotifyRequest extends Omit<PushRequest, 'flow' | 'language'> {
  text: string
}

/** A dialogue that goes on: what it says next, and where its flow then stands. */
export interface OfferRequest {
  msisdn: string
  line: string
  /** Of the dialogue that the answers go into, from `mint`. */
  epoch: string
  said: PlayedScreen
  ttlMs: number
}

/** A played turn, as far as it is shown. */
export type PlayedScreen = Pick<Turned, 'flow' | 'revision' | 'snapshot' | 'reply' | 'ended'>

/**
 * shown: the network took it · busy: the subscriber is in a dialogue · unsent: no line to send it on, or too late ·
 * unknown: no response, so it may stand on the handset · no-flow · else the network refused, or its dialect cannot say
 * it.
 */
export type PushResult = 'shown' | 'busy' | 'unsent' | 'unknown' | 'no-flow' | PushRefusal

export interface PushOutcome {
  is: PushResult
  /** Where the network refused: the SMSC's status. */
  status?: number
  /** Of the dialogue that it opened. */
  epoch?: string
  /** Instead, an SMS is owed. */
  sms: boolean
}

export interface PushDeps {
  dialogues: DialogueStore
  flows: FlowRegistry
  backend(name: string): Backend | undefined
  /** The language that the subscriber chose; null if none, or if it cannot be had in time. Never rejects. */
  chosenLanguage?(msisdn: string): Promise<string | null>
  lines: { all: readonly Line[]; get(name: string): Line | undefined }
  clock: Clock
  chance: Chance
  mint: { epoch(): string; token(): string }
  log: Log
  metrics: Metrics
  limits: { turnMs: number; leaseMs: number; confirmMs: number; language: string }
  /** What a flow's dialogues come from, by the line: its service code's digits. */
  sourceOf(line: string, flow: string | null): string
  /** Owes an SMS; `id` is that of the push. */
  enqueueSms(sms: { id: string; msisdn: string; line: string; text: string }): Promise<void>
  /** Told of a dialogue of ours that ended with its first screen, or was refused. */
  finish(record: DialogueRecord): void
}

export interface Push {
  /** Resolves when the network has answered, or `ttlMs` is over. Rejects when a store is away. */
  push(request: PushRequest): Promise<PushOutcome>
  notify(request: NotifyRequest): Promise<PushOutcome>
  /** A question opens a dialogue, anything else is only shown. */
  offer(request: OfferRequest): Promise<PushOutcome>
}

export function createPush(deps: PushDeps): Push {
  const pages = textFlow()
  let number = Math.floor(deps.chance() * 65_536)

  function lineFor(request: { line?: string }): Line | undefined {
    return request.line === undefined ? deps.lines.all.find((line) => line.bound()) : deps.lines.get(request.line)
  }

  async function settled(request: Asked, line: Line | undefined, told: Told): Promise<PushOutcome> {
    deps.metrics.count('ussd_pushes_total', { line: line?.name ?? 'none', result: told.is })
    const wantsSms = told.is !== 'shown' && request.sms !== undefined
    if (wantsSms) {
      const sms = {
        id: told.epoch ?? deps.mint.epoch(),
        msisdn: request.msisdn,
        line: line?.name ?? '',
        text: request.sms!,
      }
      await deps.enqueueSms(sms)
    }
    return { ...told, sms: wantsSms }
  }

  /** Where it would go, or why it cannot. */
  async function way(request: Asked, flow: string | null) {
    const line = lineFor(request)
    if (!line?.bound()) return { line, no: 'unsent' as const }
    const { dialect } = line
    if (!dialect.push) return { line, no: 'unsupported' as const }
    const { msisdn } = request
    const key = { group: line.group, msisdn }
    const standing = await deps.dialogues.find(key)
    // One transaction a subscriber: ours must not push another one aside. (3GPP TS 24.090)
    if (standing && standing.status !== 'ended') return { line, no: 'busy' as const }
    const path = dialect.push({
      msisdn,
      source: deps.sourceOf(line.name, flow),
      n: number++,
      not: standing?.returnPath.carrier,
    })
    return { line, key, path }
  }

  return {
    async push(request) {
      if (!deps.flows.current(request.flow)) return settled(request, lineFor(request), { is: 'no-flow' })
      const found = await way(request, request.flow)
      if (found.no) return settled(request, found.line, { is: found.no })
      const opening = { flow: request.flow, epoch: deps.mint.epoch(), ttlMs: request.ttlMs }
      const first = (record: DialogueRecord) => play(record, request, found.line)
      return settled(request, found.line, await begin(opening, found, first))
    },
    async notify(request) {
      const found = await way(request, null)
      if (found.no) return settled(request, found.line, { is: found.no })
      return settled(request, found.line, await tell(request, found))
    },
    async offer(request) {
      const { said, ttlMs, epoch } = request
      const found = await way(request, said.flow)
      if (found.no) return settled(request, found.line, { is: found.no })
      const told = said.ended
        ? await show(found.line, { action: 'notify', text: said.reply.text }, found.path, ttlMs)
        : await begin({ flow: said.flow, epoch, ttlMs }, found, async () => said)
      return settled(request, found.line, told)
    },
  }

  /** A text of several pages is a dialogue: its reader asks for the next one. */
  async function tell({ text, ttlMs }: NotifyRequest, found: Way): Promise<Told> {
    const { page } = found.line.dialect
    if (fits(text, page)) return show(found.line, { action: 'notify', text }, found.path, ttlMs)
    const opening = { flow: pages.name, epoch: deps.mint.epoch(), ttlMs }
    const language = (await deps.chosenLanguage?.(found.key.msisdn)) ?? deps.limits.language
    return begin(opening, found, async (record) => firstPage(pages, text, record, { language, page }))
  }

  async function begin(
    { flow, epoch, ttlMs }: Opening,
    { line, key, path }: Way,
    first: (record: DialogueRecord) => Promise<PlayedScreen | undefined>,
  ): Promise<Told> {
    const { dialogues, clock, limits } = deps
    const [token, nowMs] = [deps.mint.token(), clock.now()]
    // No number: ours may be one that the network gives to this subscriber next, whose begin would look like a copy.
    const taken = await dialogues.open({
      key,
      network: '',
      code: pushCode(flow),
      line: line.name,
      link: '',
      returnPath: path,
      token,
      nowMs,
      epoch,
      answer: { kind: 'begin', text: '', step: null },
      leaseUntilMs: nowMs + limits.leaseMs + limits.turnMs,
    })
    if (taken.is !== 'opened') return { is: 'busy' }
    const said = await first(taken.record)
    const reply = said && (await rest(taken.record, said, line, token))
    if (!reply) {
      await ended(taken.record, 'failed')
      return { is: 'no-flow' }
    }
    if (said.ended) deps.finish({ ...taken.record, revision: said.revision, ended: said.ended })
    const told = await show(line, reply, path, ttlMs)
    // Who has answered has seen it, whatever became of the response.
    const now = told.is === 'unknown' ? await dialogues.find(key) : null
    const is = now?.epoch === epoch && now.turn > 1 ? 'shown' : told.is
    if (is === 'shown') dialogues.confirm(key, epoch, 1)
    // Also where nobody knows: an answer to a screen that stands there after all meets a polite end.
    else await ended(taken.record, told.status === undefined ? 'bind-lost' : 'refused')
    return { ...told, is, epoch }
  }

  async function play(record: DialogueRecord, request: PushRequest, line: Line): Promise<PlayedScreen | undefined> {
    const { chosenLanguage: _, ...rest } = deps
    const { clock, limits } = rest
    const asked = request.language
    const how = asked === undefined ? { ...deps, language: limits.language } : { ...rest, language: asked }
    const first = { flow: request.flow, dialled: [], lost: null }
    const played = await playTurn(record, first, clock.now() + limits.turnMs, { ...how, page: line.dialect.page })
    return played && turned(played)
  }

  /** The first screen, stored: what is then shown. Undefined: the dialogue is another's by now. */
  async function rest(
    record: DialogueRecord,
    said: PlayedScreen,
    line: Line,
    token: string,
  ): Promise<UssdReply | undefined> {
    const reply = replyIn(record, said.reply)
    const { step } = line.dialect.write(reply, record.returnPath)
    const rested = await deps.dialogues.rest({
      key: record.key,
      epoch: record.epoch,
      token,
      nowMs: deps.clock.now(),
      revision: said.revision,
      snapshot: said.snapshot,
      reply: { ...reply, step: step ?? null, link: '' },
      ended: said.ended,
    })
    return rested ? reply : undefined
  }

  async function show(line: Line, reply: UssdReply, path: ReturnPath, ttlMs: number): Promise<Told> {
    const { pdu } = line.dialect.write(reply, path)
    // No longer than the sweep leaves an unconfirmed screen alone: else it would go out twice.
    const deadline = deps.clock.now() + Math.min(ttlMs, deps.limits.confirmMs * SHARE)
    const outcome = await line.submit(pdu, { lane: 'ussd', deadline })
    deps.metrics.count('ussd_replies_total', { line: line.name, action: reply.action, result: outcome.kind })
    const isWithheld = reply.action === 'push-begin' && line.dialect.habits.submitResp === 'withheld'
    // Such a network answers a refusal at once, and else when the subscriber does.
    return isWithheld && outcome.kind === 'timeout' ? { is: 'shown' } : toldBy(outcome)
  }

  async function ended(record: DialogueRecord, reason: 'refused' | 'bind-lost' | 'failed'): Promise<void> {
    const gone = await deps.dialogues.drop(record.key, { epoch: record.epoch }, reason, deps.clock.now())
    if (gone) deps.finish(gone)
  }
}

/** Of the time that a reply may stay unconfirmed. */
const SHARE = 0.8

type Told = Omit<PushOutcome, 'sms'>

type Asked = Pick<NotifyRequest, 'msisdn' | 'line' | 'sms'>

interface Opening {
  flow: string
  epoch: string
  ttlMs: number
}

interface Way {
  line: Line
  key: DialogueKey
  path: ReturnPath
}

function toldBy(outcome: SubmitOutcome): Told {
  switch (outcome.kind) {
    case 'ok':
      return { is: 'shown' }
    case 'refused':
      return { is: pushRefusalOf(outcome.status), status: outcome.status }
    case 'unsent':
      return { is: 'unsent' }
    default:
      return { is: 'unknown' }
  }
}
