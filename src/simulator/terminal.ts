/** The phone in a terminal: dials through a running simulator and shows each screen; typed or scripted answers. */
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { UsageError } from '../errors.ts'
import type { PhoneView } from './http.ts'

export interface DialTerminalOptions {
  /** The simulator's control HTTP, e.g. `http://127.0.0.1:8775`. */
  url: string
  msisdn: string
  code: string
  /** Given: these are typed in turn, then the phone hangs up. Else: one line of `input` is one answer. */
  answers?: string[]
  input: Readable
  output: Writable
  /** Whether a person sits there: then there is a prompt and a word of help. */
  isTty: boolean
  /** How long a screen is waited for. Default 30 000. */
  withinMs?: number
}

/** How it went. `ended`: the service ended the dialogue; else the phone hung up or nothing came. */
export interface DialTerminalOutcome {
  ended: boolean
  screens: string[]
  failed: string | null
}

/** Returns when the dialogue is over. Throws UsageError if there is no simulator at the URL. */
export async function dialTerminal(options: DialTerminalOptions): Promise<DialTerminalOutcome> {
  const { output, isTty, withinMs = 30_000 } = options
  const say = (line: string): void => void output.write(`${line}\n`)
  const phone = remotePhone(options.url, options.msisdn)
  const screens: string[] = []
  const before = await phone.look()
  const typed = answersOf(options)
  try {
    let view = await phone.post('dial', { code: options.code, withinMs })
    for (;;) {
      if (view.failed || !view.screen) break
      screens.push(view.screen.text)
      say(frame(view.screen.text, isTty))
      if (view.screen.over) say(`(${view.screen.units} units: too long for one USSD string)`)
      if (!view.screen.open) break
      if (isTty) output.write('> ')
      const answer = await typed.next()
      if (answer === undefined) {
        view = await phone.post('hang-up', {})
        say(isTty ? '' : '(hung up)')
        break
      }
      view = await phone.post('answer', { text: answer, withinMs })
    }
    if (view.failed) say(`Connection problem or invalid MMI code: ${view.failed}`)
    const after = await phone.look()
    for (const sms of after.inbox.slice(before.inbox.length)) say(`SMS from ${sms.from}: ${sms.text}`)
    const ended = view.screen !== null && !view.screen.open
    if (ended) await phone.post('dismiss', {})
    return { ended, screens, failed: view.failed }
  } finally {
    typed.close()
  }
}

/** A box around what a person reads; bare text for programs. */
function frame(text: string, isTty: boolean): string {
  if (!isTty) return text
  const lines = text.split('\n')
  const width = Math.max(...lines.map((line) => Array.from(line).length), 24)
  const body = lines.map((line) => `│ ${line}${' '.repeat(width - Array.from(line).length)} │`)
  return [`┌${'─'.repeat(width + 2)}┐`, ...body, `└${'─'.repeat(width + 2)}┘`].join('\n')
}

interface RemotePhone {
  look(): Promise<PhoneView>
  post(act: string, body: object): Promise<PhoneView>
}

function remotePhone(url: string, msisdn: string): RemotePhone {
  const base = `${url.replace(/\/$/, '')}/api/phones/${encodeURIComponent(msisdn)}`
  async function ask(path: string, init?: RequestInit): Promise<PhoneView> {
    const response = await fetch(`${base}${path}`, init).catch((error: Error) => {
      const why = (error.cause as Error | undefined)?.message ?? error.message
      throw new UsageError(`no simulator answers at ${url} (${why}): start one with 'ussd-connector simulate', or give its --url`)
    })
    const answer = await response.json().catch(() => null) as Partial<PhoneView> & { error?: string } | null
    if (answer?.msisdn !== undefined) {
      const view = answer as PhoneView
      return { ...view, failed: view.failed ?? (response.ok ? null : answer.error ?? 'failed') }
    }
    throw new UsageError(`the simulator at ${url} says: ${answer?.error ?? `HTTP ${response.status}`}`)
  }
  return {
    look: () => ask(''),
    post: (act, body) => ask(`/${act}`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
    }),
  }
}

/** Answers in turn; undefined when there are no more. */
function answersOf(options: DialTerminalOptions): { next(): Promise<string | undefined>; close(): void } {
  const { answers } = options
  if (answers) {
    const left = [...answers]
    return { next: () => Promise.resolve(left.shift()), close: () => undefined }
  }
  const lines: string[] = []
  let wake: (() => void) | undefined
  let isOver = false
  const reader = createInterface({ input: options.input, terminal: false })
  reader.on('line', (line) => (lines.push(line), wake?.()))
  reader.on('close', () => ((isOver = true), wake?.()))
  return {
    async next() {
      for (;;) {
        if (lines.length || isOver) return lines.shift()
        await new Promise<void>((done) => (wake = done))
      }
    },
    close: () => reader.close(),
  }
}
