/** SMS that flows ask for: a built-in back end in front of the SMS outbox. */
import { moduleBackend, Refusal, type Backend, type CallContext } from '../../backend/index.ts'
import type { ConfiguredLine, Settings } from '../../config/index.ts'
import { SMS, SMS_LEFT } from '../../flow/language/index.ts'
import { smsRequestSchema, type SmsRequests } from '../../sms/requests/index.ts'
import type { JsonObject } from '../../ussd/index.ts'

/**
 * `send` refuses with `not-allowed` a recipient that is not a number, or that the settings of the line do not allow.
 * What became of the others is `is` in the answer.
 */
export function smsBackend(requests: SmsRequests): Backend {
  return moduleBackend(SMS, {
    operations: {
      async send(args, { intention, msisdn, line, language, flow = '' }) {
        const asked = smsRequestSchema.safeParse(requestOf(args))
        if (!asked.success) throw new Error(wrongWords(asked.error.issues))
        const asker = { owner: ownerOf(flow), msisdn, line, language, key: intention }
        const answer = await requests.put(asker, asked.data)
        if (answer.is === 'not-allowed') return new Refusal('not-allowed')
        if (answer.is === 'wrong') throw new Error(answer.what)
        return { is: answer.is }
      },
      async cancel({ key }, { flow = '' }: CallContext) {
        return { is: await requests.cancel(ownerOf(flow), String(key ?? '')) }
      },
    },
  })
}

export const ownerOf = (flow: string) => `flow:${flow}`

/** The arguments of a screen `sms` as a request. A value that is empty was not given. */
export function requestOf(args: JsonObject): JsonObject {
  const request: JsonObject = {}
  for (const [name, value] of Object.entries(args)) {
    if (value === null || value === '') continue
    const [whole, part] = name.split('-') as [string, string?]
    if (part === undefined) request[whole] = String(value)
    else request[whole] = { ...(request[whole] as JsonObject | undefined), [part]: String(value) }
  }
  return request
}

/** Without values: they may be personal. */
export function wrongWords(issues: readonly { path: readonly PropertyKey[]; message: string }[]): string {
  return issues.map(({ path, message }) => `${path.join('.') || 'sms'}: ${message}`).join('; ')
}

/** What flows may do with SMS, among the names of back ends. */
export function smsCallable({ lines, records }: Pick<Settings, 'lines' | 'records'>): string[] {
  if (!sendsSms(lines)) return []
  return records.to === 'postgres' ? [SMS, SMS_LEFT] : [SMS]
}

/** Whether any line can send SMS. If not, a flow that sends SMS is refused. */
function sendsSms(lines: readonly ConfiguredLine[]): boolean {
  return lines.some((line) => line.sms !== undefined)
}
