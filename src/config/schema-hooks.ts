/** Settings of web-hooks (src/hooks/hooks.ts), and the checks that need more than one key. */
import { z } from 'zod'
import type { Problem } from '../base/index.ts'
import { httpUrl, ms, settingName } from '../base/settings/index.ts'
import { smsOwner } from '../sms/settings/index.ts'
import { weakIn } from './door.ts'
import type { Settings } from './schema.ts'

/** What each web-hook has, that of alarms too. */
const hookRequest = {
  url: httpUrl.describe('events go to POST url; redirects are not followed'),
  keyFile: z.string().describe('file with the key that signs requests: at least 16 random characters'),
  timeoutMs: ms(50, 10_000).default(5_000).describe('for one request; stopMs must be longer'),
  giveUpMs: ms(60_000, 604_800_000)
    .default(86_400_000)
    .describe('an event that is not taken by then is given up, with a log line: a day outlasts most outages'),
  privateNetwork: z
    .boolean()
    .optional()
    .describe(
      'true: the host name in url may lead to a private address (a container network); an address in url always may',
    ),
} as const

const hook = z.strictObject({
  ...hookRequest,
  owners: z
    .array(smsOwner)
    .min(1)
    .max(1_000)
    .describe('whose SMS it is told about: token:NAME, backend:NAME, module:NAME, flow:NAME'),
  concurrent: z
    .number()
    .int()
    .min(1)
    .max(200)
    .default(20)
    .describe('requests at the same time from each daemon; events of one key never overlap'),
})

export const alarmsSchema = z.strictObject({
  afterMs: ms(0, 86_400_000)
    .default(180_000)
    .describe('what must last so long before it is an alarm: most outages of an SMSC are over within three minutes'),
  overMs: ms(0, 86_400_000)
    .default(60_000)
    .describe('what must be well for so long before the alarm is over: a line that flaps is one alarm'),
  certificateDays: z
    .number()
    .int()
    .min(0)
    .max(365)
    .default(21)
    .describe('an alarm when a certificate ends within so many days: operators take weeks to issue one; 0: never'),
  hook: z
    .strictObject(hookRequest)
    .optional()
    .describe('a web-hook that is told each alarm and its end; absent: the log alone'),
})

export const hooksSchema = z
  .record(settingName, hook)
  .refine((all) => Object.keys(all).length <= 64, 'at most 64 web-hooks')
  .default({})

/** The web-hook that is told about the SMS of this owner. */
export function hookOf(hooks: Settings['smsHooks'], owner: string): string | null {
  return Object.entries(hooks).find(([, { owners }]) => owners.includes(owner))?.[0] ?? null
}

/** An SMS has one hook, and the key of a hook must not be guessed. */
export function hookProblems(
  { smsHooks, alarms, backends }: Settings,
  where: (path: PropertyKey[]) => string,
): Problem[] {
  const seen = new Map<string, string>()
  const ofAlarms = alarms.hook ? weakIn(alarms.hook.keyFile, where(['alarms', 'hook', 'keyFile'])) : []
  const ofSms = Object.entries(smsHooks).flatMap(([name, { owners, keyFile }]) => {
    const problems = weakIn(keyFile, where(['smsHooks', name, 'keyFile']))
    owners.forEach((owner, i) => {
      const at = where(['smsHooks', name, 'owners', i])
      const other = seen.get(owner)
      if (other !== undefined) problems.push({ where: at, what: `${owner} has the web-hook '${other}' already` })
      seen.set(owner, name)
      const [, backend] = /^(?:backend|module):(.*)$/.exec(owner) ?? []
      if (backend !== undefined && !(backend in backends))
        problems.push({ where: at, what: `there is no back end '${backend}'` })
    })
    return problems
  })
  return [...ofAlarms, ...ofSms]
}
