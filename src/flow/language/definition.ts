/** A flow as it is after reading: its types, and what its screens name. */
import type { z } from 'zod'
import type { Scalar } from '../expression/index.ts'
import type { CATALOGUE, choice, FLOW, Kind, routeSchema, SCREENS } from './schema.ts'
import type { text } from './schema-terms.ts'

export type { Kind } from './schema.ts'
export type { Scalar } from '../expression/index.ts'

type Of<K extends Kind> = z.infer<(typeof SCREENS)[K]>

export type Text = z.infer<typeof text>
export type Choice = z.infer<typeof choice>
export type Route = z.infer<typeof routeSchema>
export type MenuScreen = Of<'menu'> & { kind: 'menu' }
export type ListScreen = Of<'list'> & { kind: 'list' }
export type InputScreen = Of<'input'> & { kind: 'input' }
export type BranchScreen = Of<'branch'> & { kind: 'branch' }
export type SetScreen = Of<'set'> & {
  kind: 'set'
  /** Before setting, forgets all that is kept under names that begin so: a part is begun anew. */
  clears?: string
}
/**
 * `sms`: the text that becomes an argument, where the call is that of an `sms` screen, and how many SMS it may take.
 */
export type CallScreen = Of<'call'> & { kind: 'call'; sms?: Text; parts?: number }
export type NotifyScreen = Of<'notify'> & { kind: 'notify' }
export type EndScreen = Of<'end'> & { kind: 'end' }
export type ExitScreen = Of<'exit'> & { kind: 'exit' }
/** Calls a part; texts in several languages have been taken apart. */
export type FlowScreen = Omit<Of<'flow'>, 'with'> & { kind: 'flow'; with?: Record<string, Scalar> }
/** Leads out of a part. */
export type ReturnScreen = Of<'return'> & { kind: 'return' }
/** A screen as a file has it. */
export type WrittenScreen = ScreenDefinition | FlowScreen | ReturnScreen
export type ScreenDefinition =
  | MenuScreen
  | ListScreen
  | InputScreen
  | BranchScreen
  | SetScreen
  | CallScreen
  | NotifyScreen
  | EndScreen
  | ExitScreen

export type Catalogue = z.infer<typeof CATALOGUE>

export type FlowDefinition = Omit<z.infer<typeof FLOW>, 'screens' | 'include'> & {
  screens: Record<string, ScreenDefinition>
  /** Translations by language and text. */
  catalogues: Record<string, Record<string, string>>
}

/** The screens that a screen names, with the path of the key that names each. */
export function targetsOf(screen: WrittenScreen): { to: string; path: (string | number)[] }[] {
  const out: { to: string; path: (string | number)[] }[] = []
  const route = (to: Route | undefined, path: (string | number)[]) => {
    if (typeof to === 'string') out.push({ to, path })
    else if (to) out.push({ to: to.to, path: [...path, 'to'] })
  }
  if (screen.kind === 'menu' || screen.kind === 'list') {
    screen.choices.forEach((item, i) => route(item.to, ['choices', i, 'to']))
    route(screen.back, ['back'])
  }
  if (screen.kind === 'list') route(screen.empty, ['empty'])
  if (screen.kind === 'branch') {
    screen.branch.forEach((item, i) => route(item.to, ['branch', i, 'to']))
    route(screen.empty, ['empty'])
    route(screen.else, ['else'])
  }
  if (screen.kind === 'set') route(screen.failed, ['failed'])
  if (screen.kind === 'call') {
    for (const [refusal, to] of Object.entries(screen.refused ?? {})) route(to, ['refused', refusal])
    route(screen.failed, ['failed'])
  }
  if (screen.kind === 'flow') for (const [exit, to] of Object.entries(screen.exits ?? {})) route(to, ['exits', exit])
  if ('to' in screen) route(screen.to, ['to'])
  if (screen.kind === 'input') route(screen.giveUp, ['giveUp'])
  return out
}

export type Expect = NonNullable<CallScreen['expect']>

/** The fields that come with that refusal; undefined: none are counted on. */
export function refusalExpects({ refused }: CallScreen, refusal: string): Expect | undefined {
  const way = refused && Object.hasOwn(refused, refusal) ? refused[refusal] : undefined
  return typeof way === 'object' ? way.expect : undefined
}

/** All that is expected of that call: of its answer, and of its refusals. */
export function expectsOf(screen: CallScreen): Expect[] {
  const all = [screen.expect, ...Object.keys(screen.refused ?? {}).map((refusal) => refusalExpects(screen, refusal))]
  return all.filter((expect) => expect !== undefined)
}

/** A branch that goes over rows, and puts the one that it finds into `chosen`. */
export type RouterScreen = BranchScreen & { over: string }

export function isRouter(screen: ScreenDefinition): screen is RouterScreen {
  return screen.kind === 'branch' && screen.over !== undefined
}

/** Where rows come from that a list shows, or a branch goes over; undefined of other screens. */
export function rowsFrom(screen: ScreenDefinition): string | undefined {
  return screen.kind === 'list' ? screen.from : screen.kind === 'branch' ? screen.over : undefined
}

/** A kind of screen that asks the subscriber. */
export function asks(screen: ScreenDefinition): boolean {
  return screen.kind === 'menu' || screen.kind === 'list' || screen.kind === 'input'
}

/** The paths of answers that are secret, such as `answers.pin`. */
export function secretsOf(definition: FlowDefinition): Set<string> {
  const inputs = Object.entries(definition.screens).flatMap(([name, screen]) =>
    screen.kind === 'input' && screen.secret ? [`answers.${screen.as ?? name}`] : [],
  )
  return new Set(inputs)
}
