/**
 * What back ends say of their operations, in files of the folder `backends` beside the flow: whether each reads or
 * changes something, its answers and its refusals. A call need not say that again.
 */
import type { Problem } from '../../base/index.ts'
import {
  BACKEND,
  callOf,
  type CallScreen,
  type DeclaredFields,
  type Expect,
  readYaml,
  schemaProblems,
  SMS,
  SUBSCRIBER,
  type OperationSaid,
  type ScreenDefinition,
} from '../language/index.ts'
import { isOpenApi, openApiOperations } from './openapi.ts'

/** A back end as its file describes it. */
export interface BackendSaid {
  file: string
  operations: Readonly<Record<string, OperationSaid>>
  /** Where the operation is described. */
  at: (operation: string) => string
}

/** Reads the files, by the names of the back ends. */
export function readBackends(
  files: readonly { file: string; text: string }[],
  problems: Problem[],
): ReadonlyMap<string, BackendSaid> {
  const backends = new Map<string, BackendSaid>()
  for (const { file, text } of files) {
    const { yaml, problems: found } = readYaml(file, text)
    const called = file.replace(/^.*[\\/]/, '').replace(/\.ya?ml$/, '')
    if (found.length === 0 && isOpenApi(yaml.value)) {
      const { operations, places } = openApiOperations(yaml.value)
      backends.set(called, { file, operations, at: (operation) => yaml.at(places[operation] ?? []) })
      continue
    }
    if (found.length === 0) found.push(...schemaProblems(BACKEND, yaml.value, yaml, []))
    problems.push(...found)
    if (found.length > 0) continue
    const { backend, operations } = BACKEND.parse(yaml.value)
    if (backend !== called) {
      const what = `the back end is called '${backend}', but its file '${called}'`
      problems.push({ where: yaml.at(['backend']), what, remedy: 'give both the same name' })
    }
    backends.set(called, { file, operations, at: (operation) => yaml.at(['operations', operation]) })
  }
  return backends
}

/** The operation that the call makes, if its back end describes it. */
export function saidOfCall(
  screen: ScreenDefinition | undefined,
  backends: ReadonlyMap<string, BackendSaid>,
): OperationSaid | undefined {
  const made = callOf(screen)
  if (!made) return undefined
  const [backend = '', operation = ''] = made.call.split('.')
  const { operations } = backends.get(backend) ?? {}
  return operations && Object.hasOwn(operations, operation) ? operations[operation] : undefined
}

/** The screens, with what back ends say put into calls that do not say it themselves. */
export function asDeclared(
  screens: Record<string, ScreenDefinition>,
  backends: ReadonlyMap<string, BackendSaid>,
): Record<string, ScreenDefinition> {
  if (backends.size === 0) return screens
  return Object.fromEntries(
    Object.entries(screens).map(([name, screen]) => {
      const said = saidOfCall(screen, backends)
      return [name, said && !isOwn(screen as CallScreen) ? completed(screen as CallScreen, said) : screen]
    }),
  )
}

/** A call of the daemon itself. */
const isOwn = ({ call }: CallScreen) => [SMS, SUBSCRIBER].includes(call.split('.')[0] as string)

function completed(screen: CallScreen, { does, answers, refusals = {}, cache }: OperationSaid): CallScreen {
  const once = screen.once ?? (does === undefined ? undefined : does === 'changes')
  const expect = screen.expect ? bounded(screen.expect, answers) : required(answers)
  const refused = Object.entries(screen.refused ?? {}).map(([refusal, way]) => [
    refusal,
    typeof way === 'object' && way.expect && Object.hasOwn(refusals, refusal)
      ? { ...way, expect: bounded(way.expect, refusals[refusal]) }
      : way,
  ])
  return {
    ...screen,
    ...(once === undefined ? {} : { once }),
    ...(expect === undefined ? {} : { expect }),
    ...(cache === undefined ? {} : { cache: screen.cache ?? cache }),
    ...(screen.refused ? { refused: Object.fromEntries(refused) as CallScreen['refused'] } : {}),
  }
}

/** What an answer always has. */
function required(answers: DeclaredFields = {}): Expect | undefined {
  const always = Object.entries(answers).filter(([, field]) => typeof field === 'string' || !field.optional)
  return always.length === 0 ? undefined : Object.fromEntries(always.map(([name, field]) => [name, plain(field)]))
}

/** What the flow expects, with the bounds that only the back end gives. */
function bounded(expect: Expect, answers: DeclaredFields = {}): Expect {
  return Object.fromEntries(
    Object.entries(expect).map(([name, own]): [string, Expect[string]] => {
      const field = Object.hasOwn(answers, name) ? plain(answers[name]!) : undefined
      if (field === undefined || typeof field === 'string' || typeOf(own) !== field.is) return [name, own]
      return [name, typeof own === 'string' ? field : merged(field, own)]
    }),
  )
}

/** What the flow says itself goes before what the back end says, also of each field of rows. */
function merged(field: Exclude<Expect[string], string>, own: Exclude<Expect[string], string>): Expect[string] {
  const both = { ...field, ...own }
  return field.fields && own.fields ? { ...both, fields: { ...field.fields, ...own.fields } } : both
}

function plain(field: DeclaredFields[string]): Expect[string] {
  if (typeof field === 'string') return field
  const { optional: _optional, ...rest } = field
  return rest
}

const typeOf = (field: Expect[string]) => (typeof field === 'string' ? field : field.is)
