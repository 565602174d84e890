/**
 * USSD that we begin. Either the first screen of a flow, whose answers are handled as in any dialogue; or a text that
 * is only to be read. If the screen cannot be shown, an SMS may be sent instead.
 *
 *   request ──► a way to the handset (way.ts) ──► a dialogue (opening.ts) ──► its screen (screen.ts) ──► else an SMS
 */
import type { Backend } from '../backend/index.ts'
import { playTurn, turned, type DialogueRecord } from '../dialogue/index.ts'
import type { FlowRegistry } from '../flow/engine/index.ts'
import type { Line } from '../smpp/index.ts'
import type { Log } from '../base/index.ts'
import { fits } from '../ussd/index.ts'
import { openDialogue, type OpeningDeps, type PlayedScreen } from './opening.ts'
import { firstPage, textFlow } from './pages.ts'
import { showScreen, type ScreenOutcome } from './screen.ts'
import { pushWays, type PushWay, type PushWaysDeps } from './way.ts'

export interface PushRequest {
  msisdn: string
  /** Default: the first line that is bound. */
  line?: string
  /** The flow that is shown. It continues with the subscriber's answers. */
  flow: string
  /** Default: the language that the subscriber chose, or else the daemon's. */
  language?: string
  /** If the screen is not shown by then, it is not shown at all. */
  ttlMs: number
  /** The SMS to send if the screen is not shown. */
  sms?: string
}

export interface NotifyRequest extends Omit<PushRequest, 'flow' | 'language'> {
  text: string
}

/** A dialogue that continues: what it says next, and the state of its flow. */
export interface OfferRequest {
  msisdn: string
  line: string
  /** The epoch of the dialogue that gets the answers, from `mint`. */
  epoch: string
  said: PlayedScreen
  ttlMs: number
}

export interface PushOutcome extends ScreenOutcome {
  /** An SMS is owed instead. */
  sms: boolean
}

export interface PushDeps extends Omit<OpeningDeps, 'limits'>, Omit<PushWaysDeps, 'dialogues'> {
  flows: FlowRegistry
  backend(name: string): Backend | undefined
  /** The language that the subscriber chose; null if there is none or it cannot be read in time. Never rejects. */
  chosenLanguage?(msisdn: string): Promise<string | null>
  mint: { epoch(): string; token(): string }
  log: Log
  /** Exact texts are kept for support. Absent: they are not. */
  keepsTexts?: boolean | undefined
  limits: OpeningDeps['limits'] & { language: string }
  /** Absent: yes. With a wrong clock a dialogue would begin that other daemons end at once, and its SMS be late. */
  isClockRight?: (() => boolean) | undefined
  /** Puts an SMS into the outbox; `id` is that of the push. */
  enqueueSms(sms: { id: string; msisdn: string; line: string; text: string }): Promise<void>
}

export interface Push {
  /**
   * Resolves when the network has answered or `ttlMs` is over. Rejects if a store is unreachable, and with
   * WrongClockError, like the others.
   */
  push(request: PushRequest): Promise<PushOutcome>
  notify(request: NotifyRequest): Promise<PushOutcome>
  /** A question opens a dialogue; anything else is only shown. */
  offer(request: OfferRequest): Promise<PushOutcome>
}

/** The clock of this machine is wrong (src/daemon/clock-check.ts): it begins nothing, and owes no SMS instead. */
export class WrongClockError extends Error {
  constructor() {
    super('the clock of this machine is wrong: nothing was pushed (/ready says by how much; ask another daemon)')
    this.name = 'WrongClockError'
  }
}

function requireClock({ isClockRight, metrics }: PushDeps): void {
  if (isClockRight?.() ?? true) return
  metrics.count('limits_total', { limit: 'clock_wrong' })
  throw new WrongClockError()
}

export function createPush(deps: PushDeps): Push {
  const ways = pushWays(deps)
  const pages = textFlow()

  /** A text of several pages needs a dialogue: the reader asks for the next page. */
  async function tell({ text, ttlMs }: NotifyRequest, way: PushWay): Promise<ScreenOutcome> {
    const { page } = way.line.dialect
    if (fits(text, page)) return showScreen(deps, way, { action: 'notify', text }, ttlMs)
    const language = (await deps.chosenLanguage?.(way.key.msisdn)) ?? deps.limits.language
    const first = async (record: DialogueRecord) =>
      firstPage(pages, text, record, { language, page, keepsTexts: deps.keepsTexts })
    return openDialogue(deps, { flow: pages.name, epoch: deps.mint.epoch(), ttlMs, first }, way)
  }

  return {
    async push(request) {
      requireClock(deps)
      const { flow, ttlMs } = request
      if (!deps.flows.current(flow)) return settled(deps, request, ways.lineFor(request), { is: 'no-flow' })
      const way = await ways.find(request, flow)
      if (way.no) return settled(deps, request, way.line, { is: way.no })
      const first = (record: DialogueRecord) => firstScreen(deps, record, request, way.line)
      const opening = { flow, epoch: deps.mint.epoch(), ttlMs, first }
      return settled(deps, request, way.line, await openDialogue(deps, opening, way))
    },
    async notify(request) {
      requireClock(deps)
      const way = await ways.find(request, null)
      return settled(deps, request, way.line, way.no ? { is: way.no } : await tell(request, way))
    },
    async offer(request) {
      requireClock(deps)
      const { said, ttlMs, epoch } = request
      const way = await ways.find(request, said.flow)
      if (way.no) return settled(deps, request, way.line, { is: way.no })
      const told = said.ended
        ? await showScreen(deps, way, { action: 'notify', text: said.reply.text }, ttlMs)
        : await openDialogue(deps, { flow: said.flow, epoch, ttlMs, first: async () => said }, way)
      return settled(deps, request, way.line, told)
    },
  }
}

/** Counts the result, and enqueues the SMS if the screen was not shown. */
async function settled(
  deps: PushDeps,
  { msisdn, sms: text }: Pick<NotifyRequest, 'msisdn' | 'sms'>,
  line: Line | undefined,
  told: ScreenOutcome,
): Promise<PushOutcome> {
  deps.metrics.count('ussd_pushes_total', { line: line?.name ?? 'none', result: told.is })
  if (told.is === 'shown' || text === undefined) return { ...told, sms: false }
  await deps.enqueueSms({ id: told.epoch ?? deps.mint.epoch(), msisdn, line: line?.name ?? '', text })
  return { ...told, sms: true }
}

async function firstScreen(
  deps: PushDeps,
  record: DialogueRecord,
  { flow, language }: PushRequest,
  line: Line,
): Promise<PlayedScreen | undefined> {
  const { chosenLanguage: _, ...rest } = deps
  const { clock, limits } = rest
  const how = language === undefined ? { ...deps, language: limits.language } : { ...rest, language }
  const first = { flow, dialled: [], lost: null }
  const played = await playTurn(
    record,
    first,
    { deadlineMs: clock.now() + limits.turnMs },
    { ...how, page: line.dialect.page },
  )
  return played && turned(played)
}
