/**
 * What one subscriber saw and did, for who answers a complaint: dialogues with each screen redrawn and each key named,
 * calls of back ends, dials that were turned away, SMS with their reasons.
 */
import { remembered } from '../base/index.ts'
import {
  callsMadeIn,
  type CallMade,
  isCut,
  momentsOf,
  type PathStep,
  screenOf,
  spokenIn,
  type StandingDialogue,
  stepsOf,
  type TurnTexts,
} from '../dialogue/index.ts'
import type { FlowDefinition, ScreenTypes } from '../flow/language/index.ts'
import { readFlow, type FlowSource } from '../flow/read/index.ts'
import { isSecretScreen, redrawnScreen } from '../flow/redraw/index.ts'
import { smsReason } from '../sms/terms/index.ts'
import {
  type RecordRow,
  type RecordsFound,
  type SubscriberFound,
  type SupportSmsRow,
  textsKey,
  type TextsRow,
} from './rows.ts'
import { callInWords, endInWords } from './words.ts'

export interface StoryStep {
  screen: string
  /**
   * As the handset showed it, except the values: they are gone, and stand there as marks. Empty: the revision is not
   * kept.
   */
  lines: string[]
  /** The lines are word for word what was shown. */
  isExact?: true
  /** The key that was pressed. Null: it was typed. */
  key: string | null
  /** What was typed, if that is kept. */
  typed?: string
  /** What the key was, in the words of the screen. */
  chose?: string
  /** Its number may have been another one: lines before it are shown under conditions. */
  isUnsure?: true
  /** The network acknowledged a notification. */
  isAck?: true
  /** What was typed is a secret. */
  isSecret?: true
  /** It was answered a moment ago, and what the key was is not known yet. */
  isPending?: true
  /** For how long the subscriber was waited for. */
  seconds: number
  /** When it was answered. */
  at: string
  /** That moment follows from seconds that are rounded. */
  isAbout?: true
}

export interface StoryCall extends CallMade {
  /** By which a back end knows it: the same for every repetition. */
  key: string
  /** What became of it, in words. */
  words: string
}

export interface StoryDialogue {
  epoch: string
  kind: 'dialogue' | 'deferred' | 'refused'
  isOpen: boolean
  openedAt: string
  /** Of an open one: when it was last written. */
  endedAt: string
  line: string
  code: string
  flow: string
  language: string
  channel: string
  instance: string
  turns: number
  totalMs: number
  waitMs: number
  backendMs: number
  /** '' of an open one. */
  reason: string
  why: string
  steps: StoryStep[]
  calls: StoryCall[]
  /** More steps than a record keeps. */
  isCut: boolean
  /** The screen on which it rests, or with which it ended. */
  last: { screen: string; lines: string[]; isExact?: true }
  /** Exact texts: `sealed` if they are kept and cannot be opened, `cut` if there was no room for all. Absent: as above. */
  texts?: 'sealed' | 'cut'
}

export interface StorySms {
  id: string
  kind: string
  owner: string
  state: string
  line: string
  attempts: number
  askedAt: string
  leavesAt: string | null
  sentAt: string | null
  settledAt: string | null
  /** Why it is so, in words; '' where nothing is to be explained. */
  reason: string
  /** Of each part: what the SMSC or its receipt said last, its message id, and when the receipt came. */
  receipts: { part: number; state: string; id: string; at: string | null }[]
}

export interface Story {
  dialogues: StoryDialogue[]
  sms: StorySms[]
  isCut: boolean
}

/** With what kept revisions and kept texts are read. */
export interface StoryReading {
  definitionOf: ReturnType<typeof keptDefinitions>
  /** Null: they cannot be opened. */
  openTexts(row: TextsRow): TurnTexts[] | null
}

/** `standing`: what the store of dialogues has of this subscriber. */
export function storyOf(found: SubscriberFound, standing: readonly StandingDialogue[], reading: StoryReading): Story {
  return { dialogues: dialoguesOf(found, standing, reading), sms: found.sms.map(ofSms), isCut: found.isCut }
}

/** Past ones first. One that has ended a moment ago may have no record yet. */
export function dialoguesOf(
  { records, sources, texts }: RecordsFound,
  standing: readonly StandingDialogue[],
  { definitionOf, openTexts }: StoryReading,
): StoryDialogue[] {
  const flowOf = (revision: string) => definitionOf(sources.get(revision))
  const past = new Set(records.filter(({ kind }) => kind === 'dialogue').map(({ epoch }) => epoch))
  return [
    ...records.map((row) => {
      const kept = texts.get(textsKey(row))
      return ofRecord(row, flowOf(row.flow), kept && openTexts(kept))
    }),
    ...standing.filter(({ epoch }) => !past.has(epoch)).map((record) => ofStanding(record, flowOf(record.revision))),
  ]
}

/** Flows that serve, and those of the last weeks. To read one takes as long as all else of an answer. */
const DEFINITIONS_MAX = 50

/** Reads each source once while it is asked for. Undefined: it is not kept, or this release reads it no longer. */
export function keptDefinitions(types: ScreenTypes) {
  const kept = remembered<FlowDefinition | null>(DEFINITIONS_MAX)
  return (source: string | undefined): FlowDefinition | undefined =>
    source === undefined ? undefined : (kept(source, (one) => definitionIn(one, types)) ?? undefined)
}

/** Null: this release reads it no longer. */
function definitionIn(source: string, types: ScreenTypes): FlowDefinition | null {
  try {
    return readFlow(JSON.parse(source) as FlowSource, types).definition
  } catch {
    return null
  }
}

/** `texts`: word for word. Null: they are kept, and cannot be opened. */
function ofRecord(
  row: RecordRow,
  flow: FlowDefinition | undefined,
  texts: readonly TurnTexts[] | null | undefined,
): StoryDialogue {
  const { epoch, line, code, language, channel, instance, turns, reason, screen } = row
  return {
    epoch,
    kind: row.kind as StoryDialogue['kind'],
    isOpen: false,
    openedAt: new Date(row.opened_at).toISOString(),
    endedAt: new Date(row.ended_at).toISOString(),
    line,
    code,
    flow: row.flow,
    language,
    channel,
    instance,
    turns,
    totalMs: row.total_ms,
    waitMs: row.wait_ms,
    backendMs: row.backend_ms,
    reason,
    why: endInWords(row.kind, reason, row.detail),
    ...wayOf(
      { epoch, path: row.path, calls: row.calls ?? '', openedMs: Date.parse(row.opened_at), language, texts },
      flow,
    ),
    last: { screen, ...shownOn(turns, texts, linesOf(flow, screen, language)) },
    ...textsTold(texts),
  }
}

function textsTold(texts: readonly TurnTexts[] | null | undefined): Pick<StoryDialogue, 'texts'> {
  if (texts === null) return { texts: 'sealed' }
  return texts && isCut(texts) ? { texts: 'cut' } : {}
}

/** The screen of a turn word for word, if that is kept, else with marks. */
function shownOn(turn: number, texts: Way['texts'], redrawn: string[]): { lines: string[]; isExact?: true } {
  const shown = texts?.find(([at]) => at === turn)?.[2]
  return shown ? { lines: shown.split('\n'), isExact: true } : { lines: redrawn }
}

/** One that is open, or whose record is not written yet. The code as dialled may have a secret behind it. */
function ofStanding(record: StandingDialogue, flow: FlowDefinition | undefined): StoryDialogue {
  const { epoch, line, turn, revision, openedMs, touchedMs, status, ended, track } = record
  const [language, screen] = [spokenIn(record), screenOf(record)]
  const isTaken = status === 'taken'
  const { path = '', calls = '', waitMs = 0, backendMs = 0, texts } = track ?? {}
  const way = wayOf({ epoch, path, calls, openedMs, language, texts }, flow)
  const open = isTaken ? 'open: its answer is being worked on' : 'open: it waits for the subscriber'
  return {
    epoch,
    kind: 'dialogue',
    isOpen: ended === null,
    openedAt: new Date(openedMs).toISOString(),
    endedAt: new Date(touchedMs).toISOString(),
    line,
    code: '',
    flow: revision,
    language,
    channel: '',
    instance: '',
    turns: turn,
    totalMs: touchedMs - openedMs,
    waitMs,
    backendMs,
    reason: ended ?? '',
    why: ended === null ? open : endInWords('dialogue', ended, ''),
    ...way,
    steps: isTaken && !way.isCut ? way.steps.map(pendingLast) : way.steps,
    last: isTaken ? { screen: '', lines: [] } : { screen, ...shownOn(turn, texts, linesOf(flow, screen, language)) },
    ...textsTold(texts),
  }
}

function pendingLast(step: StoryStep, i: number, all: readonly StoryStep[]): StoryStep {
  return i === all.length - 1 && !step.isAck ? { ...step, isPending: true } : step
}

interface Way {
  epoch: string
  path: string
  calls: string
  openedMs: number
  language: string
  texts: readonly TurnTexts[] | null | undefined
}

/** Each screen that was answered, and the calls between them. */
function wayOf({ epoch, path, calls, openedMs, language, texts }: Way, flow: FlowDefinition | undefined) {
  const made = callsMadeIn(calls)
  const { steps, isCut } = stepsOf(path)
  const moments = momentsOf(steps, made)
  return {
    isCut,
    steps: steps.map((step, i): StoryStep => {
      const { atMs, isAbout } = moments[i]!
      const at = new Date(openedMs + atMs).toISOString()
      // The first screen is that of turn 1, and its answer begins turn 2.
      const typed = step.key === null ? texts?.find(([turn]) => turn === i + 2)?.[1] : undefined
      const { lines, ...redrawn } = drawn(step, flow, language)
      return {
        ...redrawn,
        ...shownOn(i + 1, texts, lines),
        ...(typed === undefined || typed === null ? {} : { typed }),
        at,
        ...(isAbout ? { isAbout } : {}),
      }
    }),
    calls: made.map((call) => ({
      ...call,
      key: `${epoch}:${call.turn}:${call.n}`,
      words: callInWords(call.said),
    })),
  }
}

function drawn(step: PathStep, flow: FlowDefinition | undefined, language: string): Omit<StoryStep, 'at'> {
  const screen = flow && redrawnScreen(flow, step.screen, language)
  const chosen = step.key === null ? undefined : screen?.choice(step.key)
  return {
    ...step,
    lines: screen?.lines ?? [],
    ...(chosen ? { chose: chosen.label } : {}),
    ...(chosen?.isUnsure ? { isUnsure: true } : {}),
    ...(flow && isSecretScreen(flow, step.screen) ? { isSecret: true } : {}),
  }
}

function linesOf(flow: FlowDefinition | undefined, screen: string, language: string): string[] {
  return (flow && redrawnScreen(flow, screen, language)?.lines) ?? []
}

function ofSms(row: SupportSmsRow): StorySms {
  const { id, kind, owner, state, line, attempts, parts } = row
  return {
    id,
    kind,
    owner,
    state,
    line,
    attempts,
    askedAt: row.created_at.toISOString(),
    leavesAt: state === 'due' ? row.wake_at.toISOString() : null,
    sentAt: row.submitted_at?.toISOString() ?? null,
    settledAt: row.settled_at?.toISOString() ?? null,
    reason: smsReason(row),
    receipts: parts.map((part) => ({ ...part, at: part.at === null ? null : new Date(part.at).toISOString() })),
  }
}
