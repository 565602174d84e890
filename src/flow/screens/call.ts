/** `call`: an operation of a back end. The machine only says that it wants it; who steps it makes the call. */
import type { DialogueContext, DialogueEvent, Move } from '../../../machines/dialogue.ts'
import type { Json } from '../../ussd/index.ts'
import type { CallOutcome, Want } from '../engine/index.ts'
import { refusalExpects, type CallScreen, type Route } from '../language/index.ts'
import { compileValues, pathsOf } from '../expression/index.ts'
import { BUSY, type Env, type Plan } from './plan.ts'
import type { SayText } from '../text/index.ts'

/** Where an outcome leads, with the line above the next screen. */
export interface Way {
  to: string
  notice?: SayText | undefined
}

export function callPlan(screen: CallScreen, env: Env): Plan {
  const [backend = '', operation = ''] = screen.call.split('.')
  const as = screen.as ?? env.name
  const hidden = Object.entries(screen.with ?? {}).flatMap(([name, value]) =>
    pathsOf(value).some((path) => env.secrets.has(path)) ? [name] : [],
  )
  const values = compileValues(screen.with, env)
  const sms = screen.sms === undefined ? undefined : env.text(screen.sms)
  const failed = wayOf(screen.failed ?? BUSY, env)
  const refused = new Map(Object.entries(screen.refused ?? {}).map(([refusal, to]) => [refusal, wayOf(to, env)]))
  return {
    kind: 'call',
    targets: [screen.to, failed.to, ...[...refused.values()].map((way) => way.to)],
    // What a secret opened cannot be called again without it.
    arrive: (context) => ({ ...context, via: screen.once || hidden.length > 0 ? '' : env.name }),
    answer: (context, event) => outcome({ context, event, screen, as, keep: env.keep, failed, refused }),
    want: (context): Want => ({
      do: 'call',
      screen: env.name,
      backend,
      operation,
      once: screen.once,
      args: { ...Object.fromEntries(values({ context })), ...(sms ? { text: sms({ context }, { lines: true }) } : {}) },
      ...(hidden.length === 0 ? {} : { hidden }),
      ...(screen.timeoutMs === undefined ? {} : { timeoutMs: screen.timeoutMs }),
    }),
  }
}

interface Outcome {
  context: DialogueContext
  event: DialogueEvent
  screen: CallScreen
  as: string
  keep: Env['keep']
  failed: Way
  refused: ReadonlyMap<string, Way>
}

function outcome({ context, event, screen, as, keep, failed, refused }: Outcome): Move | undefined {
  if (event.type === 'RESULT') {
    if (!expected(event.data, screen.expect)) return led({ ...context, failed: true }, failed)
    return { to: screen.to, context: withData(context, as, keep(as, event.data)) }
  }
  if (event.type === 'REFUSED') {
    const way = refused.get(event.refusal)
    const wanted = refusalExpects(screen, event.refusal)
    if (!way || !expected(event.data, wanted)) return led({ ...context, failed: true }, failed)
    return led(wanted ? withData(context, as, keep(as, event.data)) : context, way)
  }
  if (event.type === 'FAILED') return led({ ...context, failed: true }, failed)
  return undefined
}

export function led(context: DialogueContext, way: Way): Move {
  return { to: way.to, context: way.notice ? { ...context, notice: way.notice({ context }) } : context }
}

function withData(context: DialogueContext, as: string, data: Json): DialogueContext {
  return { ...context, data: { ...context.data, [as]: data } }
}

export function wayOf(route: Route, env: Env): Way {
  if (typeof route === 'string') return { to: route }
  return { to: route.to, notice: route.notice === undefined ? undefined : env.text(route.notice) }
}

/** Whether an answer has the fields that the flow counts on; else it is as good as none. */
export function expected(data: Json, fields: CallScreen['expect']): boolean {
  return missing(data, fields).length === 0
}

/** The fields that it lacks, or that are something else than is expected. */
function missing(data: Json, fields: CallScreen['expect'] = {}): string[] {
  const given = data !== null && typeof data === 'object' && !Array.isArray(data) ? data : {}
  return Object.entries(fields).flatMap(([name, wanted]) => {
    const type = typeof wanted === 'string' ? wanted : wanted.is
    const value = Object.hasOwn(given, name) ? given[name] : undefined
    if (type === 'rows') return Array.isArray(value) && value.every(isRow) ? [] : [name]
    if (type === 'any') return value === undefined ? [name] : []
    return typeof value === (type === 'text' ? 'string' : type) ? [] : [name]
  })
}

/**
 * Why what a back end answered is no use to the flow, for those who run it; undefined: it is, or there was no answer.
 */
export function uselessFor(
  screen: CallScreen,
  outcome: CallOutcome,
): { refusal?: string; lacks?: string[] } | undefined {
  if (outcome.is === 'failed') return undefined
  const refusal = outcome.is === 'refused' ? { refusal: outcome.refusal } : {}
  if (outcome.is === 'refused' && !Object.hasOwn(screen.refused ?? {}, outcome.refusal)) return refusal
  const wanted = outcome.is === 'refused' ? refusalExpects(screen, outcome.refusal) : screen.expect
  const lacks = missing(outcome.data ?? null, wanted)
  return lacks.length === 0 ? undefined : { ...refusal, lacks }
}

function isRow(value: Json): boolean {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
