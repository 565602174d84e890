/** `call`: an operation of a back end. The machine only says that it wants the call; its caller makes it. */
import { z } from 'zod'
import type { DialogueContext, DialogueEvent, Move } from '../../../machines/dialogue.ts'
import type { Json, JsonObject } from '../../ussd/index.ts'
import type { CallOutcome, Want } from '../engine/index.ts'
import { compileValues, pathsOf } from '../expression/index.ts'
import { caching, EXPECTED, name, refusalName, scalar, type Text, typeFor } from '../terms/index.ts'
import { callExamples } from './call-examples.ts'
import { type Expect, expected, expectedFields, expectsOf, lettered, missing, refusalExpects } from './expect.ts'
import type { KeptSize, ScreenKind, Useless } from './kind.ts'
import {
  smsOf,
  BUSY,
  type Env,
  type Plan,
  led,
  notice,
  routeSchema,
  target,
  to,
  wayOf,
  type Way,
} from '../plan/index.ts'
import { linesOf, pickTextRows, rowsOfText, type TextRows, usesOfRows } from './text-rows.ts'

const refusal = z
  .union([
    name,
    z.strictObject({
      to,
      notice,
      expect: expectedFields.describe(
        'Fields that come with the refusal, kept in `data.<as>`; if one is missing, the call has failed.',
      ),
    }),
  ])
  .meta({ title: 'screen, or `{ to, notice, expect }`' })

const schema = z
  .strictObject({
    call: z
      .string()
      .regex(/^[a-z][a-z0-9-]*\.[a-zA-Z][a-zA-Z0-9-]*$/, 'a back end and its operation, such as wallet.balance')
      .meta({ title: '`backend.operation`' })
      .describe('The operation to call.'),
    with: z
      .record(z.string().min(1), scalar)
      .optional()
      .meta({ title: '`{ name: value }`' })
      .describe(
        'Its arguments. `{path}` alone passes the value itself, of any type; a value that begins with `=` is computed.',
      ),
    as: name.optional().describe("Keeps the answer as `data.<as>`. Default: the screen's name."),
    once: z
      .boolean()
      .optional()
      .describe(
        'The call changes something: a dialled answer, a resume or a repeat never makes it without asking. ' +
          'Default: as the file of the back end says.',
      ),
    timeoutMs: z
      .int()
      .min(100)
      .max(60_000)
      .optional()
      .describe('Milliseconds to wait for the answer. Default: those of the back end.'),
    cache: caching
      .optional()
      .describe(
        'Its answer is kept in memory for this subscriber, so long. Default: as the file of the back end says.',
      ),
    expect: expectedFields.describe(
      `Fields that the answer must have, else the call has failed: ${EXPECTED.join(', ')}; or with bounds.`,
    ),
    to: name.describe('The screen that comes after an answer.'),
    refused: z
      .record(refusalName, refusal)
      .optional()
      .meta({ title: '`{ refusal: screen }`' })
      .describe('Where each refusal of the back end leads, by its name: a screen or `{ to, notice, expect }`.'),
    failed: routeSchema
      .optional()
      .describe('Where it leads if there is no usable answer. Default: the built-in text `busy` ends the dialogue.'),
    settle: name
      .optional()
      .describe(
        'In place of `failed`: the screen whose call asks what became of this one, as nobody knows. ' +
          'Its back end gets the key of this call.',
      ),
  })
  .describe('Shows nothing; calls a back end.')

/** `sms`: if the call comes from an `sms` screen, the text that becomes an argument; and how many SMS it may take. */
export type CallScreen = z.infer<typeof schema> & { kind: 'call'; sms?: Text; parts?: number; rows?: TextRows }

export const callKind = {
  schema,
  does: 'call',
  targets: (screen) => [
    ...Object.entries(screen.refused ?? {}).flatMap(([refusal, route]) => target(route, 'refused', refusal)),
    ...target(screen.failed, 'failed'),
    ...target(screen.settle, 'settle'),
    ...target(screen.to, 'to'),
  ],
  clashes: ({ failed, settle }) =>
    failed !== undefined && settle !== undefined
      ? [{ path: ['settle'], what: ': failed and settle exclude each other' }]
      : [],
  uses(screen, tell) {
    tell.text('sms', screen.sms, 'sms')
    usesOfRows(screen.rows, 'sms', tell)
    tell.values(screen.with, 'with')
    for (const [refusal, route] of Object.entries(screen.refused ?? {})) tell.route(route, 'refused', refusal)
    tell.route(screen.failed, 'failed')
  },
  keeps: () => 'data',
  rows: (screen) => rowsOfText(screen.rows, screen.sms ?? ''),
  picks: (screen, zone) => pickTextRows(screen.rows, zone),
  keepsOn: (screen, [key, refusal]) => key === 'refused' && refusalExpects(screen, String(refusal)) !== undefined,
  changes: ({ once = false }) => once,
  call: (screen) => screen,
  onePage: true,
  caption: (screen, first) =>
    screen.sms === undefined ? `${screen.call}${screen.once ? ' (once)' : ''}` : `SMS: ${first(screen.sms)}`,
  label: (_screen, [key, refusal]) => (key === 'refused' ? `refused ${String(refusal)}` : undefined),
  pressed(screen, [key, refusal]) {
    if (key === 'to') return ''
    return key === 'refused' ? `(${screen.call} refuses: ${refusal})` : `(${screen.call} fails)`
  },
  items: (screen) => Object.keys(screen.refused ?? {}).map((refusal) => ({ what: `refused: ${refusal}` })),
  covered: (_screen, { event }) => (event.type === 'REFUSED' ? `refused: ${event.refusal}` : undefined),
  outcomes: () => [
    { what: 'answered', only: '' },
    { what: 'no answer', only: '' },
  ],
  answered(screen, { event }) {
    if (event.type === 'REFUSED' && screen.refused?.[event.refusal]) return undefined
    return event.type === 'RESULT' && expected(event.data, screen.expect) ? 'answered' : 'no answer'
  },
  overfull({ sms, parts = 1 }, { say }) {
    if (sms === undefined) return []
    const [least, most] = [smsOf(say(sms, 'none')), smsOf(say(sms, 'likely'))]
    const what = ` sends ${most} SMS for one text${least > parts ? '' : ' when its values are long'}`
    return most > parts ? [{ severity: 'warning', what, remedy: `shorten the text, or set parts: ${most}` }] : []
  },
  sizes: (screen) => [
    ...expectsOf(screen).flatMap(sizesOf),
    ...Object.entries(screen.expect ?? {}).map(([field, wanted]) => ({
      field,
      fields: typeof wanted === 'string' ? undefined : wanted.fields,
    })),
  ],
  types: (screen, field) => {
    // Fields of refusals count as well: the answer need not declare them.
    const said = expectsOf(screen).flatMap((expect) => (field === undefined ? [] : (expect[field] ?? [])))
    return said.length === 0
      ? [undefined]
      : said.map((wanted) => typeFor(typeof wanted === 'object' ? wanted.is : wanted))
  },
  fields: (screen) => expectsOf(screen).flatMap(Object.keys),
  useless: uselessFor,
  examples: callExamples,
  plan: callPlan,
} satisfies ScreenKind<CallScreen>

function sizesOf(expect: Expect): KeptSize[] {
  return Object.entries(expect).flatMap(([field, wanted]) => {
    if (typeof wanted === 'string' || wanted.max === undefined) return []
    if (wanted.is === 'number' || wanted.is === 'money') return [{ field, max: wanted.max }]
    return [wanted.is === 'rows' ? { field: `${field}.count`, max: wanted.max } : { field, chars: wanted.max }]
  })
}

function callPlan(screen: CallScreen, env: Env): Plan {
  const [backend = '', operation = ''] = screen.call.split('.')
  const as = screen.as ?? env.name
  const hidden = Object.entries(screen.with ?? {}).flatMap(([name, value]) =>
    pathsOf(value).some((path) => env.secrets.has(path)) ? [name] : [],
  )
  const values = compileValues(screen.with, env)
  const sms = screen.sms === undefined ? undefined : env.text(screen.sms)
  const lines = linesOf(screen.rows, env)
  const failed = wayOf(screen.settle ?? screen.failed ?? BUSY, env)
  const refused = new Map(Object.entries(screen.refused ?? {}).map(([refusal, to]) => [refusal, wayOf(to, env)]))
  return {
    targets: [screen.to, failed.to, ...[...refused.values()].map((way) => way.to)],
    // A call with a secret argument cannot be repeated: the secret is gone.
    arrive: (context) => ({ ...context, via: screen.once || hidden.length > 0 ? '' : env.name }),
    answer: (context, event) =>
      outcome({ name: env.name, context, event, screen, as, keep: env.keep, failed, refused }),
    want(context): Want {
      const args: JsonObject = Object.fromEntries(values({ context }))
      if (sms) args.text = sms({ context, rows: lines?.(context) }, { lines: true })
      const { once = false, timeoutMs, cache, settle } = screen
      const want: Want = { do: 'call', screen: env.name, backend, operation, once, args }
      if (settle !== undefined) want.keyed = true
      if (context.unsettled?.by === env.name) want.settles = context.unsettled.key
      if (hidden.length > 0) want.hidden = hidden
      if (timeoutMs !== undefined) want.timeoutMs = timeoutMs
      if (cache !== undefined && !once) want.cache = cache
      return want
    },
  }
}

interface Outcome {
  name: string
  context: DialogueContext
  event: DialogueEvent
  screen: CallScreen
  as: string
  keep: Env['keep']
  failed: Way
  refused: ReadonlyMap<string, Way>
}

function outcome({ name, context, event, screen, as, keep, failed, refused }: Outcome): Move | undefined {
  const known = settled(context, name)
  if (event.type === 'RESULT') {
    if (!expected(event.data, screen.expect)) return led(unsettled(context, screen, event.key), failed)
    return { to: screen.to, context: withData(known, as, lettered(keep(as, event.data), screen.expect)) }
  }
  if (event.type === 'REFUSED') {
    const way = refused.get(event.refusal)
    const wanted = refusalExpects(screen, event.refusal)
    if (!way || !expected(event.data, wanted)) return led(unsettled(context, screen, event.key), failed)
    return led(wanted ? withData(known, as, lettered(keep(as, event.data), wanted)) : known, way)
  }
  if (event.type === 'FAILED') return led(unsettled(context, screen, event.key), failed)
  return undefined
}

/** There is no usable answer: if another call settles that, it is told the key of this one. */
function unsettled(context: DialogueContext, { settle }: CallScreen, key = ''): DialogueContext {
  return { ...context, failed: true, ...(settle === undefined ? {} : { unsettled: { by: settle, key } }) }
}

/** The call by which an unknown outcome is settled has its answer. */
function settled(context: DialogueContext, name: string): DialogueContext {
  return context.unsettled?.by === name ? { ...context, unsettled: undefined, failed: false } : context
}

function withData(context: DialogueContext, as: string, data: Json): DialogueContext {
  return { ...context, data: { ...context.data, [as]: data } }
}

/** Why the flow cannot use a back end's answer, for the operators. Undefined: it can use it, or there was no answer. */
function uselessFor(screen: CallScreen, outcome: CallOutcome): Useless | undefined {
  if (outcome.is === 'failed') return undefined
  const refusal = outcome.is === 'refused' ? { refusal: outcome.refusal } : {}
  if (outcome.is === 'refused' && !Object.hasOwn(screen.refused ?? {}, outcome.refusal)) return refusal
  const wanted = outcome.is === 'refused' ? refusalExpects(screen, outcome.refusal) : screen.expect
  const lacks = missing(outcome.data ?? null, wanted)
  return lacks.length === 0 ? undefined : { ...refusal, lacks }
}
