/**
 * What `check` says of the SMS of a flow, besides their texts: moments that cannot be read or are over, and keys that nobody
 * cancels. A flow alone does not know what time it is, and a daemon must not refuse one because a day has passed.
 */
import type { FlowProblem } from '../../flow/check/index.ts'
import { abandonedCall, SMS_CANCEL, SMS_SEND, type Scalar } from '../../flow/language/index.ts'
import type { ReadFlow } from '../../flow/read/index.ts'
import { remindersSchema } from '../../sms/settings/index.ts'
import { isUrgent, whenOf, type SmsClass } from '../../sms/terms/index.ts'

/** The present, and where a moment without an offset is. */
export interface CheckMoment {
  nowMs: number
  /** Undefined: that of no settings. */
  zone: string | undefined
}

type Moment = { nowMs: number; zone: string }
type Arguments = Readonly<Record<string, Scalar>>

export function smsProblems(
  read: ReadFlow,
  { nowMs, zone = remindersSchema.parse({}).zone }: CheckMoment,
): FlowProblem[] {
  const calls = Object.entries(read.definition.screens).flatMap(([name, screen]) => {
    const left = abandonedCall(screen)
    return [
      ...('call' in screen ? [{ name, call: screen.call, args: screen.with ?? {}, place: ['with'] }] : []),
      ...(left ? [{ name, call: left.call, args: left.with ?? {}, place: ['abandoned', 'sms'] }] : []),
    ]
  })
  const sent = calls.filter(({ call }) => call === SMS_SEND)
  const cancelled = calls.filter(({ call }) => call === SMS_CANCEL)
  return [...sent.flatMap((one) => momentProblems(one, read, { nowMs, zone })), ...keyProblems(sent, cancelled, read)]
}

/** The arguments that say when it goes out. */
const MOMENTS = ['at', 'in', 'before-of', 'before-by']

/** Only what is written out can be judged. */
function momentProblems({ name, args, place }: SmsCall, { at }: ReadFlow, { nowMs, zone }: Moment): FlowProblem[] {
  const given = MOMENTS.filter((key) => args[key] !== undefined)
  if (given.length === 0 || given.some((key) => !isConstant(args[key]!))) return []
  const [moment, ahead, of, by] = MOMENTS.map((key) => (args[key] === undefined ? undefined : String(args[key])))
  const asked = { at: moment, in: ahead, before: of === undefined ? undefined : { of, by: by ?? '' } }
  const when = whenOf(asked, { class: classOf(args), zone, quietHours: null, nowMs })
  const where = at(['screens', name, ...place, given[0]!])
  if (when.is === 'wrong') return [{ severity: 'error', where, what: `screen '${name}': ${when.what}` }]
  if (when.is !== 'past') return []
  const what = `screen '${name}': the moment of this SMS is over: nobody gets it`
  return [{ severity: 'warning', where, what, remedy: 'write a later one, or one that a back end or an answer says' }]
}

const classOf = (args: Arguments) => (args.class === undefined ? 'reminder' : (String(args.class) as SmsClass))
const isConstant = (value: Scalar) => typeof value !== 'string' || (!value.startsWith('=') && !/[{}]/.test(value))

interface SmsCall {
  name: string
  args: Arguments
  /** Where in the screen they are. */
  place: string[]
}

/** A reminder that stays when its reason is gone is worse than none. And a key that no SMS has cancels nothing. */
function keyProblems(sent: readonly SmsCall[], cancelled: readonly SmsCall[], { at }: ReadFlow): FlowProblem[] {
  const where = ({ name, place }: SmsCall) => at(['screens', name, ...place, 'key'])
  const isKept = ({ args }: SmsCall) => args.key !== undefined && !isUrgent(classOf(args)) && isTimed(args)
  const kept = sent.filter(isKept).filter((one) => !cancelled.some((other) => mayBeSame(one, other)))
  const gone = cancelled.filter((one) => !sent.some((other) => other.args.key !== undefined && mayBeSame(one, other)))
  return [
    ...kept.map((one): FlowProblem => ({
      severity: 'warning',
      where: where(one),
      what: `screen '${one.name}': no screen cancels the SMS '${String(one.args.key)}'`,
      remedy: `add a screen { cancel: '${String(one.args.key)}' } where its reason ends, or leave out key`,
    })),
    ...gone.map((one): FlowProblem => ({
      severity: 'warning',
      where: where(one),
      what: `screen '${one.name}': no screen of this flow asks for an SMS '${String(one.args.key)}'`,
      remedy: 'a flow cancels its own SMS only: write the key as the sms screen has it',
    })),
  ]
}

const isTimed = (args: Arguments) => MOMENTS.some((key) => args[key] !== undefined)

/** Whether two keys can be the same when their values are filled in: where both are written out, they are known. */
function mayBeSame(one: SmsCall, other: SmsCall): boolean {
  const [a, b] = [fixedOf(one), fixedOf(other)]
  if (a === null || b === null) return true
  if (a.length === 1 && b.length === 1) return a[0] === b[0]
  const begin = Math.min(a[0]!.length, b[0]!.length)
  const [endA, endB] = [a.at(-1)!, b.at(-1)!]
  const end = Math.min(endA.length, endB.length)
  return (
    a[0]!.slice(0, begin) === b[0]!.slice(0, begin) && endA.slice(-end || Infinity) === endB.slice(-end || Infinity)
  )
}

/** What stands around the values of a key. Null: it is computed. */
function fixedOf({ args }: SmsCall): string[] | null {
  const key = String(args.key)
  return key.startsWith('=') ? null : key.split(/\{[^{}]*\}/)
}
