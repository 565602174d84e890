/** SMS that flows send: a built-in back end that writes to the SMS outbox. */
import type { Sql } from '../base/index.ts'
import { moduleBackend, Refusal, type Backend } from '../backend/index.ts'
import type { ConfiguredLine } from '../config/index.ts'
import { SMS } from '../flow/language/index.ts'
import { enqueueSms } from '../sms/outbox/index.ts'
import { msisdnOf, numberingOf, type Clock } from '../ussd/index.ts'

export interface FlowSmsDeps {
  sql: Sql
  clock: Clock
  /** Looked up at each SMS: lines may change while we run. */
  lines: () => readonly ConfiguredLine[]
}

/** Refuses with `not-allowed` a recipient that is not a number, or that the settings of the line do not allow. */
export function smsBackend({ sql, clock, lines }: FlowSmsDeps): Backend {
  return moduleBackend(SMS, {
    operations: {
      async send({ text, to }, { intention, msisdn, line }) {
        if (typeof text !== 'string' || text.trim() === '') throw new Error('no text')
        const settings = lines().find(({ name }) => name === line)
        const recipient = to === undefined ? msisdn : msisdnOf(String(to), numberingOf(settings))
        if (recipient === null || (recipient !== msisdn && !mayGet(recipient, settings)))
          return new Refusal('not-allowed')
        // A line without SMS uses any line that has it.
        const sms = { id: intention, kind: 'flow', msisdn: recipient, line: settings?.sms ? line : '', text }
        await enqueueSms(sql, sms, clock)
        return {}
      },
    },
  })
}

/** Whether any line can send SMS. If not, a flow that sends SMS is refused. */
export function sendsSms(lines: readonly ConfiguredLine[]): boolean {
  return lines.some((line) => line.sms !== undefined)
}

function mayGet(recipient: string, line: ConfiguredLine | undefined): boolean {
  return line?.sms?.recipients.some((prefix) => recipient.startsWith(prefix)) ?? false
}
