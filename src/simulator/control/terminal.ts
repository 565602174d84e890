/** The phone in a terminal: dials through a running simulator and shows each screen. Answers are typed or scripted. */
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { UsageError } from '../../base/index.ts'
import type { PhoneView } from './phone-view.ts'

export interface DialTerminalOptions {
  phone: TerminalPhone
  code: string
  /** Each line is one answer. After the last one the phone hangs up. */
  typed: TypedLines
  output: Writable
  /** Whether a person sits at it: then there is a prompt and some help. */
  isTty: boolean
  /** How long to wait for a screen. Default 30 000. */
  withinMs?: number
}

/** The result. `ended`: the service ended the dialogue; otherwise the phone hung up or no screen came. */
export interface DialTerminalOutcome {
  ended: boolean
  screens: string[]
  failed: string | null
}

/** A phone to press keys on: one of a simulator, or a local one. */
export interface TerminalPhone {
  look(): Promise<TerminalView>
  post(act: 'dial' | 'answer' | 'next' | 'hang-up' | 'dismiss', body: object): Promise<TerminalView>
}

/** What a terminal shows of a phone. */
export interface TerminalView {
  screen: { text: string; open: boolean; over: boolean; units: number; action?: string } | null
  failed: string | null
  inbox: { from: string; text: string }[]
}

/** What a person or a program types. */
export interface TypedLines {
  /** Undefined: there are no more lines. */
  next(): Promise<string | undefined>
  close(): void
}

/** Resolves when the dialogue is over. */
export async function dialTerminal(options: DialTerminalOptions): Promise<DialTerminalOutcome> {
  const { output, isTty, phone, typed, withinMs = 30_000 } = options
  const say = (line: string): void => void output.write(`${line}\n`)
  const screens: string[] = []
  try {
    const before = await phone.look()
    let view = await phone.post('dial', { code: options.code, withinMs })
    for (;;) {
      if (view.failed || !view.screen) break
      screens.push(view.screen.text)
      say(frame(view.screen.text, isTty))
      if (view.screen.over) say(`(${view.screen.units} units: too long for one USSD string)`)
      if (view.screen.action === 'notify') {
        // The handset has acknowledged it; the dialogue continues by itself.
        view = await phone.post('next', { withinMs })
        continue
      }
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

/** A box around the text for a person; plain text for programs. */
export function frame(text: string, isTty: boolean): string {
  if (!isTty) return text
  const lines = text.split('\n')
  const width = Math.max(...lines.map((line) => Array.from(line).length), 24)
  const body = lines.map((line) => `│ ${line}${' '.repeat(width - Array.from(line).length)} │`)
  return [`┌${'─'.repeat(width + 2)}┐`, ...body, `└${'─'.repeat(width + 2)}┘`].join('\n')
}

/** A phone of a running simulator. Throws UsageError if there is none at the URL. */
export function remotePhone(url: string, msisdn: string, token?: string): TerminalPhone {
  const base = `${url.replace(/\/$/, '')}/api/phones/${encodeURIComponent(msisdn)}`
  async function ask(path: string, init?: RequestInit): Promise<PhoneView> {
    const response = await fetch(`${base}${path}`, { ...init, headers: { ...init?.headers, ...bearer(token) } }).catch(
      (error: Error) => {
        const why = (error.cause as Error | undefined)?.message ?? error.message
        throw new UsageError(
          `no simulator answers at ${url} (${why}): start one with 'ussd-connector simulate', or give its --url`,
        )
      },
    )
    const answer = (await response.json().catch(() => null)) as (Partial<PhoneView> & { error?: string }) | null
    if (answer?.msisdn !== undefined) {
      const view = answer as PhoneView
      return { ...view, failed: view.failed ?? (response.ok ? null : (answer.error ?? 'failed')) }
    }
    throw new UsageError(`the simulator at ${url} says: ${answer?.error ?? `HTTP ${response.status}`}`)
  }
  return {
    look: () => ask(''),
    post: (act, body) =>
      ask(`/${act}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
  }
}

const bearer = (token: string | undefined): Record<string, string> =>
  token === undefined ? {} : { authorization: `Bearer ${token}` }

/** What this phone played last, as a talk file. Throws UsageError if there is none. */
export async function recordedTalkOf(url: string, msisdn: string, token?: string): Promise<string> {
  const path = `/api/phones/${encodeURIComponent(msisdn)}/talk`
  const response = await fetch(`${url.replace(/\/$/, '')}${path}`, { headers: bearer(token) })
  if (response.ok) return response.text()
  const { error } = (await response.json().catch(() => ({}))) as { error?: string }
  throw new UsageError(`the simulator at ${url} gives no talk: ${error ?? `HTTP ${response.status}`}`)
}

/** These lines, in order. */
export function writtenLines(lines: readonly string[]): TypedLines {
  const left = [...lines]
  return { next: () => Promise.resolve(left.shift()), close: () => undefined }
}

/** The lines of an input stream, one at a time. */
export function typedLines(input: Readable): TypedLines {
  const lines: string[] = []
  let wake: (() => void) | undefined
  let isOver = false
  const reader = createInterface({ input, terminal: false })
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
