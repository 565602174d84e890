/** Checks that a flow agrees with what its back ends say of their operations: names, answers, refusals. */
import { remedyAmong } from '../../base/index.ts'
import {
  callOf,
  type CallScreen,
  type DeclaredFields,
  type Expect,
  fieldTypeOf,
  type FlowDefinition,
  keepersAt,
  type OperationSaid,
  refusalExpects,
  rowsFrom,
  TYPE_WORDS,
} from '../language/index.ts'
import { saidOfCall, type ReadFlow } from '../read/index.ts'
import type { Complain } from './check.ts'
import { callsIn } from './money.ts'
import { readsByScreen } from './paths.ts'

export function checkDeclared(read: ReadFlow, complain: Complain): void {
  if (read.backends.size === 0) return
  for (const [name, screen] of callsIn(read.definition)) {
    const said = saidOfCall(screen, read.backends)
    if (said) {
      checkAnswers({ name, screen, said }, read, complain)
      checkRefusals({ name, screen, said }, read, complain)
    } else checkOperation(name, screen, read, complain)
  }
  checkReads(read, complain)
}

interface Called {
  name: string
  screen: CallScreen
  said: OperationSaid
}

function checkOperation(name: string, { call }: CallScreen, { at, backends }: ReadFlow, complain: Complain): void {
  const [backend = '', operation = ''] = call.split('.')
  const known = backends.get(backend)
  if (!known) return
  complain('error', {
    where: at(['screens', name, 'call']),
    what: `screen '${name}' calls ${call}, but ${backend} has no such operation, as ${known.file} says`,
    remedy: remedyAmong(operation, Object.keys(known.operations)),
  })
}

function checkAnswers({ name, screen, said }: Called, { at }: ReadFlow, complain: Complain): void {
  if (!said.answers || !screen.expect) return
  for (const { field, what, remedy } of differences(screen.expect, said.answers, screen.call))
    complain('error', {
      where: at(['screens', name, 'expect', field]),
      what: `screen '${name}' expects '${field}'${what}`,
      remedy,
    })
}

/** Fields that the flow expects, and that the back end does not answer with, or not so. */
function differences(
  expect: Expect,
  answers: DeclaredFields,
  call: string,
): { field: string; what: string; remedy: string }[] {
  return Object.entries(expect).flatMap(([field, wanted]) => {
    const given = Object.hasOwn(answers, field) ? answers[field] : undefined
    if (given === undefined)
      return [
        { field, what: `, but ${call} does not answer with it`, remedy: remedyAmong(field, Object.keys(answers)) },
      ]
    const [is, has] = [typeOf(wanted), typeOf(given)]
    if (is !== has && is !== 'any' && has !== 'any') {
      const what = ` to be ${TYPE_WORDS[is]}, but ${call} answers with ${TYPE_WORDS[has]}`
      return [{ field, what, remedy: 'expect that, or correct the file of the back end' }]
    }
    const columns = columnsApart(field, wanted, given, call)
    if (typeof given === 'string' || !given.optional) return columns
    const what = `, but ${call} may leave it out: that would count as no answer`
    return [{ field, what, remedy: 'remove it from expect, and test whether it is there' }]
  })
}

type Said = DeclaredFields[string] | Expect[string]

/** Fields of rows that the flow expects to be something else than the back end says. */
function columnsApart(
  field: string,
  wanted: Said,
  given: Said,
  call: string,
): { field: string; what: string; remedy: string }[] {
  const [own, has] = [wanted, given].map((said) => (typeof said === 'object' ? (said.fields ?? {}) : {}))
  return Object.entries(own!).flatMap(([name, said]) => {
    const other = Object.hasOwn(has!, name) ? has![name] : undefined
    const [is, theirs] = [fieldTypeOf(said), fieldTypeOf(other)]
    if (is === undefined || theirs === undefined || is === theirs) return []
    const what = `, in its rows '${name}' to be ${TYPE_WORDS[is]}, but ${call} answers with ${TYPE_WORDS[theirs]}`
    return [{ field, what, remedy: 'expect that, or correct the file of the back end' }]
  })
}

const typeOf = (field: DeclaredFields[string] | Expect[string]) => (typeof field === 'string' ? field : field.is)

function checkRefusals({ name, screen, said }: Called, { at }: ReadFlow, complain: Complain): void {
  if (!said.refusals) return
  const { call, refused = {} } = screen
  const names = Object.keys(said.refusals)
  for (const refusal of Object.keys(refused)) {
    const where = at(['screens', name, 'refused', refusal])
    if (!Object.hasOwn(said.refusals, refusal)) {
      const what = `screen '${name}': ${call} never refuses with '${refusal}'`
      complain('error', { where, what, remedy: remedyAmong(refusal, names) })
      continue
    }
    for (const { field, what, remedy } of differences(
      refusalExpects(screen, refusal) ?? {},
      said.refusals[refusal]!,
      call,
    ))
      complain('error', {
        where,
        what: `screen '${name}' expects '${field}' of the refusal '${refusal}'${what}`,
        remedy,
      })
  }
  for (const refusal of names.filter((known) => !Object.hasOwn(refused, known)))
    complain('warning', {
      rule: 'unrouted',
      where: at(['screens', name, 'call']),
      what: `screen '${name}': ${call} may refuse with '${refusal}', which leads nowhere`,
      remedy: `it then counts as no answer: write refused: { ${refusal}: <screen> }`,
    })
}

/** What the flow reads of answers, and of rows in them. */
function checkReads(read: ReadFlow, complain: Complain): void {
  const { definition, at } = read
  for (const { screen, place, path } of readsByScreen(definition)) {
    const found = unanswered(path, screen, read)
    if (!found) continue
    const what = `screen '${screen}': ${found.call} does not answer with '${found.field}'`
    complain('error', { where: at(place), what, remedy: remedyAmong(found.field, found.known) })
  }
}

interface Unanswered {
  call: string
  field: string
  known: readonly string[]
}

function unanswered(path: string, screen: string, read: ReadFlow): Unanswered | undefined {
  const [root, name = '', field] = path.split('.')
  if (root === 'data' && field !== undefined) return missingIn(`data.${name}`, field, read)
  const here = read.definition.screens[screen]
  const from =
    root === 'row'
      ? here && rowsFrom(here)
      : root === 'chosen'
        ? rowsKeptAt(`chosen.${name}`, read.definition)
        : undefined
  const column = root === 'row' ? (name === '' ? undefined : name) : field
  return from === undefined || column === undefined ? undefined : rowMissingIn(from, column, read)
}

/** Undefined: some call that keeps its answer there may have the field. */
function missingIn(kept: string, field: string, read: ReadFlow): Unanswered | undefined {
  const keepers = keepersAt(kept, read.definition)
  const known = keepers.map((screen) => saidOfCall(screen, read.backends))
  if (known.length === 0 || !known.every((said) => said?.answers !== undefined)) return undefined
  const fields = (known as OperationSaid[]).flatMap(({ answers = {}, refusals = {} }) => [
    ...Object.keys(answers),
    ...Object.values(refusals).flatMap((data) => Object.keys(data)),
  ])
  const call = callOf(keepers[0])
  return fields.includes(field) || !call ? undefined : { call: call.call, field, known: fields }
}

function rowsKeptAt(kept: string, definition: FlowDefinition): string | undefined {
  const from = keepersAt(kept, definition).map(rowsFrom)
  return new Set(from).size === 1 ? from[0] : undefined
}

/** `fields` of declared rows are all that a row has. Without them, nobody says. */
function rowMissingIn(from: string, column: string, read: ReadFlow): Unanswered | undefined {
  const [root, as, field, ...deeper] = from.split('.')
  if (root !== 'data' || field === undefined || deeper.length > 0) return undefined
  const keepers = keepersAt(`data.${as}`, read.definition)
  const fields = keepers.map((screen) => {
    const rows = saidOfCall(screen, read.backends)?.answers?.[field]
    return typeof rows === 'object' ? rows.fields : undefined
  })
  const call = callOf(keepers[0])
  if (!call || fields.some((known) => known === undefined)) return undefined
  const known = fields.flatMap((each) => Object.keys(each!))
  return known.includes(column) ? undefined : { call: call.call, field: column, known }
}
