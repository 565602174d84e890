/** `subscriber show` and `subscriber dialogue`: what one subscriber saw and did, from a running daemon, step by step. */
import type { DialogueTold, StoryTold } from '../admin/index.ts'
import { asJson, askAdmin, type AdminOptions } from './admin.ts'
import type { Say } from './arguments.ts'

type ToldDialogue = StoryTold['dialogues'][number]
type ToldCall = ToldDialogue['calls'][number]

export interface ShowOptions {
  since?: string
  until?: string
  /** Only the hash by which the log names the subscriber. */
  hash?: boolean
}

/** Throws UsageError with what the daemon says. */
export async function showSubscriber(
  number: string,
  { since, until, hash, ...options }: AdminOptions & ShowOptions,
  say: Say,
): Promise<void> {
  const query = new URLSearchParams({ msisdn: number, ...(since ? { since } : {}), ...(until ? { until } : {}) })
  if (hash) {
    const told = await askAdmin<{ subscriber: string }>(options, 'GET', `/v1/subscribers/hash?${query}`)
    return say(options.json ? asJson(told) : told.subscriber)
  }
  const story = await askAdmin<StoryTold>(options, 'GET', `/v1/subscribers?${query}`)
  if (options.json) return say(asJson(story))
  for (const line of linesOfStory(story)) say(line)
}

/** One dialogue by its epoch, as it stands in the log. Throws UsageError with what the daemon says. */
export async function showDialogue(
  epoch: string,
  { msisdn, ...options }: AdminOptions & { msisdn?: string },
  say: Say,
): Promise<void> {
  const query = msisdn === undefined ? '' : `?${new URLSearchParams({ msisdn })}`
  const path = `/v1/subscribers/dialogues/${encodeURIComponent(epoch)}${query}`
  const told = await askAdmin<DialogueTold>(options, 'GET', path)
  if (options.json) return say(asJson(told))
  const clock = clockIn(told.zone)
  say(`${told.msisdn}${told.subscriber && `  in the log: subscriber ${told.subscriber}`}`)
  for (const line of told.dialogues.flatMap((one) => ['', ...linesOfDialogue(one, clock)])) say(line)
}

/** As a terminal shows it. Times are in the zone of the settings; the first of each dialogue has UTC beside it. */
export function linesOfStory(story: StoryTold): string[] {
  const clock = clockIn(story.zone)
  const head = [
    `${story.msisdn}  in the log: subscriber ${story.subscriber}`,
    `from ${clock.day(story.since)} to ${clock.day(story.until)} ${story.zone} (UTC ${story.since} to ${story.until})`,
    ...(story.lacks === undefined ? [] : [story.lacks]),
    ...(story.isCut ? ['There is more than is shown: ask for a shorter time.'] : []),
    ...(story.dialogues.length + story.sms.length === 0 ? ['', 'nothing: no dialogue, no refused dial, no SMS'] : []),
  ]
  return [
    ...head,
    ...story.dialogues.flatMap((one) => ['', ...linesOfDialogue(one, clock)]),
    ...story.sms.flatMap((one) => ['', ...linesOfSms(one, clock)]),
  ]
}

type ZoneClock = ReturnType<typeof clockIn>

function clockIn(zone: string) {
  const time = new Intl.DateTimeFormat('en-GB', { timeZone: zone, timeStyle: 'medium' })
  const date = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' })
  return {
    time: (at: number | string) => time.format(new Date(at)),
    day: (at: string) => date.format(new Date(at)),
    both: (at: string) => `${date.format(new Date(at))} (${at.slice(11, 19)}Z)`,
  }
}

const KINDS: Record<ToldDialogue['kind'], string> = {
  dialogue: 'dialogue',
  deferred: 'deferred answer',
  refused: 'dial turned away',
}

const TEXTS: Record<NonNullable<ToldDialogue['texts']>, string> = {
  sealed: 'its exact texts are kept, and their key is not in privacy.storeKeyFile: values are marks',
  cut: 'there was no room for all its exact texts: the later ones are marks',
}

function linesOfDialogue(one: ToldDialogue, clock: ZoneClock): string[] {
  const { epoch, kind, openedAt, endedAt, line, code, flow, language, channel, isOpen, steps, calls, totalMs } = one
  const where = [code, line && `on ${line}`, channel !== 'ussd' && channel, flow, language].filter(Boolean).join(' ')
  const head = `${clock.both(openedAt)}  ${KINDS[kind]} ${epoch}  ${where}`
  const end = isOpen
    ? `  ${clock.time(endedAt)}  ${one.why}`
    : `  ${clock.time(endedAt)}  ended (${one.reason}) after ${inSeconds(totalMs)}: ${one.why}`
  if (kind !== 'dialogue') return [head, ...calls.map((call) => callLine(call, openedAt, clock)), end]
  const parts = [`${inSeconds(one.waitMs)} waiting for the subscriber`, `${inSeconds(one.backendMs)} in back ends`]
  return [
    head,
    ...callLines(one, 1, clock),
    ...steps.flatMap((step, i) => [
      ...screenLines(step.screen, step.lines),
      `    ${pressedIn(step)} (${step.isAbout ? 'about ' : ''}${clock.time(step.at)})`,
      ...callLines(one, i + 2, clock),
    ]),
    ...(one.isCut ? ['    … more steps than a record keeps', ...latestCalls(one, clock)] : []),
    ...(one.last.screen === '' ? [] : screenLines(one.last.screen, one.last.lines)),
    end,
    ...(one.texts ? [`            ${TEXTS[one.texts]}`] : []),
    ...(isOpen && steps.length === 0 ? [] : [`            ${one.turns} turns, ${parts.join(', ')}`]),
  ]
}

function callLines(one: ToldDialogue, turn: number, clock: ZoneClock): string[] {
  return one.calls.filter((call) => call.turn === turn).map((call) => callLine(call, one.openedAt, clock))
}

/** Of a path that was cut, the calls behind it. */
function latestCalls(one: ToldDialogue, clock: ZoneClock): string[] {
  return one.calls.filter(({ turn }) => turn > one.steps.length + 1).map((call) => callLine(call, one.openedAt, clock))
}

function callLine({ atMs, backend, operation, words, ms, changes, key }: ToldCall, openedAt: string, clock: ZoneClock) {
  const what = changes ? `, which changes something (key ${key})` : ''
  return `  ${clock.time(Date.parse(openedAt) + atMs)}  called ${backend}.${operation}${what}: ${words}, ${ms} ms`
}

function screenLines(screen: string, lines: readonly string[]): string[] {
  const shown = lines.length === 0 ? ['(its revision is not kept, or shows no text of its own here)'] : lines
  return shown.map((line, i) => `    ${(i === 0 ? `[${screen}]` : '').padEnd(16)} | ${line}`)
}

function pressedIn(step: ToldDialogue['steps'][number]): string {
  const after = `, after ${step.seconds} s`
  if (step.isAck) return `shown${after}`
  if (step.isPending) return `answered${after}: what it was is not known yet`
  if (step.key !== null) {
    const sure = step.isUnsure ? ' (probably: lines before it are shown under conditions)' : ''
    return `pressed ${step.key}${step.chose === undefined ? '' : `: ${step.chose}`}${sure}${after}`
  }
  if (step.typed !== undefined) return `typed ${step.typed}${after}`
  return step.isSecret ? `typed a secret${after}` : `typed an answer, or pressed what no line has${after}`
}

function linesOfSms(one: StoryTold['sms'][number], clock: ZoneClock): string[] {
  const { id, kind, owner, state, line, attempts, askedAt, leavesAt, sentAt, settledAt, reason, receipts } = one
  const moments = [
    ...(leavesAt ? [`leaves ${clock.both(leavesAt)}`] : []),
    ...(sentAt ? [`sent ${clock.both(sentAt)}`] : []),
    ...(settledAt ? [`settled ${clock.both(settledAt)}`] : []),
  ]
  return [
    `${clock.both(askedAt)}  SMS ${id}  ${kind} of ${owner}${line ? ` on ${line}` : ''}: ${state}, ${attempts} tries`,
    ...(moments.length > 0 ? [`            ${moments.join(', ')}`] : []),
    ...(reason === '' ? [] : [`            ${reason}`]),
    ...receipts.map(
      ({ part, state: said, id: of, at }) =>
        `            part ${part}: ${said}${at ? ` ${clock.both(at)}` : ''} (message id ${of || '-'})`,
    ),
  ]
}

function inSeconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}
