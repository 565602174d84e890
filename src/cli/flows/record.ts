/** `talk --record`: plays a flow by hand in the terminal and writes what was played as a talk. */
import type { Writable } from 'node:stream'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { UsageError, systemClock } from '../../base/index.ts'
import { WORD_CODE, type CallOutcome, type CallWant } from '../../flow/engine/index.ts'
import type { Compilation } from '../../flow/load/index.ts'
import { SUBSCRIBER, SMS } from '../../flow/language/index.ts'
import { examplesIn } from '../../flow/explore/index.ts'
import {
  parseTalks,
  type Stub,
  describeFailure,
  playTalk,
  recordedText,
  talkRecorder,
  withTalks,
} from '../../flow/talk/index.ts'
import { dialTerminal, typedLines, type TypedLines } from '../../simulator/index.ts'
import { FlowPhone } from './flow-phone.ts'
import { offeredAt } from './offered-answers.ts'
import { settingsBackends, type Answering } from './settings-backends.ts'

export interface TalkRecording {
  /** Where the talk is written. It is appended to an existing file. */
  file: string
  title?: string | undefined
  code: string
  dial?: string | undefined
  /** In place of a dial: the word by SMS that starts the flow. */
  word?: string | undefined
  msisdn: string
  language?: string | undefined
  /** The time of the dial, ISO 8601. */
  now: string
  typed: TypedLines
  output: Writable
  isTty: boolean
  /** Absent: the person at the terminal types the answers of back ends. */
  answering?: Answering | undefined
}

export interface RecordOptions {
  record: string
  title?: string
  config?: string
  code?: string
  dial?: string
  word?: string
  msisdn: string
  language?: string
}

/** `recordTalk` at this terminal. */
export async function recordCommand(compilation: Compilation, options: RecordOptions): Promise<void> {
  const { record: file, config, ...rest } = options
  const clock = systemClock()
  const backends = config === undefined ? undefined : await settingsBackends(config, clock)
  const code = options.code ?? backends?.codeOf(compilation.flow.name) ?? '*123#'
  const typed = typedLines(process.stdin)
  try {
    await recordTalk(compilation, {
      ...rest,
      file,
      code,
      now: new Date(clock.today()).toISOString(),
      typed,
      output: process.stdout,
      isTty: Boolean(process.stdin.isTTY),
      answering: backends?.answering,
    })
  } finally {
    typed.close()
    process.stdin.destroy()
    await backends?.close()
  }
}

/** Plays until the dialogue ends or the input ends. Then plays the recorded talk once more, and writes it. */
export async function recordTalk(compilation: Compilation, recording: TalkRecording): Promise<void> {
  const { file, code, word, dial = code, msisdn, language, now, typed, output, isTty } = recording
  const say = (text: string) => void output.write(`${text}\n`)
  const recorder = talkRecorder()
  const asked = asking(compilation, typed, say)
  const phone = new FlowPhone(recorder.watch(compilation.flow), {
    code,
    msisdn,
    now,
    language: language ?? compilation.flow.languages[0]!,
    say,
    isTty,
    async call(want, spoken) {
      if (word !== undefined && want.once) return { is: 'failed', why: 'refused-call' }
      return recording.answering && !isOurs(want)
        ? recording.answering(want, { msisdn, language: spoken })
        : asked(want)
    },
  })
  const begun = word === undefined ? dial : `${WORD_CODE}${word}`
  const outcome = await dialTerminal({ phone, code: begun, typed, output, isTty })
  if (outcome.failed) throw new UsageError(`wrote nothing: ${outcome.failed}`)
  const recorded = recorder.talk(msisdn, phone.left)
  if (!recorded) throw new UsageError('wrote nothing: you dialled nothing')
  addTalk(
    file,
    recordedText({ ...recorded, ...(recording.title === undefined ? {} : { title: recording.title }) }),
    say,
  )
  await playAgain(file, compilation, say)
}

/** Appends the talk to the file, or creates the file. */
export function addTalk(file: string, text: string, say: (text: string) => void): void {
  writeFileSync(file, existsSync(file) ? withTalks(file, readFileSync(file, 'utf8'), text) : text)
  say(`${file}: talk '${parseTalks(file, text).at(-1)!.title}' is written`)
}

async function playAgain(file: string, { flow }: Compilation, say: (text: string) => void): Promise<void> {
  const failure = await playTalk(parseTalks(file, readFileSync(file, 'utf8')).at(-1)!, flow)
  say(failure ? `played again, it differs:\n${describeFailure(failure)}` : 'played again: it passes')
  if (failure) process.exitCode = 1
}

const isOurs = ({ backend }: CallWant) => backend === SMS || backend === SUBSCRIBER

/**
 * Asks the person at the terminal what the back end answers, and offers synthetic answers made from what the flow
 * reads.
 */
function asking(
  { definition }: Compilation,
  typed: TypedLines,
  say: (text: string) => void,
): (want: CallWant) => Promise<CallOutcome> {
  const examples = examplesIn(definition, 'likely')
  return async (want) => {
    if (isOurs(want)) return { is: 'data', data: {} }
    const operation = `${want.backend}.${want.operation}`
    const offered = offeredAt(examples(want.screen).outcomes?.() ?? [], operation)
    const args = { ...want.args, ...Object.fromEntries((want.hidden ?? []).map((name) => [name, '****'])) }
    say(`${operation} ${JSON.stringify(args)} is called. What does it answer?`)
    offered.forEach(({ shown }, i) => say(`  ${i + 1}  ${shown}`))
    say('  or your own JSON, refuse <name> [JSON], fail <why>; empty: 1')
    for (;;) {
      const line = (await typed.next())?.trim() ?? ''
      const chosen = /^\d*$/.test(line) ? offered[Number(line || 1) - 1]?.stub : readStub(operation, line, say)
      if (chosen) return structuredClone(chosen)
      if (/^\d+$/.test(line)) say(`  1 to ${offered.length}`)
    }
  }
}

/** The answer in the form of a talk's line. If it has another form: undefined, with a message. */
function readStub(operation: string, line: string, say: (text: string) => void): Stub | undefined {
  const [, word = 'backend', rest = line] = /^(refuse|fail)\b\s*(.*)$/.exec(line) ?? []
  try {
    const step = parseTalks('answer', `${word} ${operation} ${rest}`)[0]!.steps[0]
    return step?.do === 'stub' ? step.outcome : undefined
  } catch (error) {
    say(`  ${(error as Error).message.split('\n').at(-1)!.trim()}`)
    return undefined
  }
}
