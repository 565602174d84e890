/** Turns each type of screen of a journey into screens of a flow. */
import { compilePattern } from '../../flow/expression/index.ts'
import {
  answerOf,
  besides,
  fieldOf,
  listOf,
  operation,
  remark,
  resolve,
  type Carrying,
  type Locals,
} from './carrying.ts'
import { readJinja } from './jinja.ts'
import type { JourneyScreen, JourneyNode } from './journey.ts'
import { callScreen, customScreen, updateScreen } from './silent-screens.ts'
import { keep, nextOf, putScreen, waysOf } from './ways.ts'
import { conditionIn, journeyText, valueIn, type ScreenDraft } from './words.ts'

/** Imports one screen, as one or more screens. */
export function carryScreen(carrying: Carrying, screen: JourneyScreen): void {
  const draft: ScreenDraft = { carrying, screen, name: carrying.nameOf(screen.name), locals: {} }
  const kinds: Record<string, (draft: ScreenDraft) => void> = {
    input_screen: inputScreen,
    menu_screen: menuScreen,
    router_screen: routerScreen,
    update_session_screen: updateScreen,
    http_screen: callScreen,
    function_screen: callScreen,
    custom_screen: customScreen,
    quit_screen: (at) => putScreen(at, { end: journeyText(screen.written.text, at) }),
  }
  const carry = Object.hasOwn(kinds, screen.type) ? kinds[screen.type] : undefined
  if (carry) return carry(draft)
  const what = `screen '${screen.name}' has the type '${screen.type}', which is unknown to ussd-engine`
  remark(carrying, screen, 'type', {
    what,
    remedy: 'write this screen by hand; until then it ends the dialogue',
    lost: true,
  })
  putScreen(draft, { exit: true })
}

function inputScreen(draft: ScreenDraft): void {
  const { carrying, screen, name } = draft
  const { written } = screen
  const key = String(written.input_identifier ?? screen.name)
  const as = carrying.keyName(key)
  const own: ScreenDraft = { ...draft, locals: { input: { path: `answers.${as}` } } }
  const options = listOf(written.options)
  const keys = options.map((option, i) => String(option.input_value ?? i + 1))
  const { checks, asked } = checksOf(own, as, keys)
  let to = nextOf(own)
  to = keep(own, key, `answers.${as}`, to)
  if (asked.length) to = askedChecks(own, asked, as, to)
  if (options.length) {
    const branch = options.map((option, i) => ({ if: `answers.${as} == '${keys[i]}'`, to: optionTo(own, option, i) }))
    carrying.screens[besides(draft, name, 'option')] = { branch, else: to }
    to = besides(draft, name, 'option')
  }
  const lines = options.map((option, i) => ({ key: keys[i]!, label: journeyText(option.text, own, 'options') }))
  const input = withLines(journeyText(written.text, own), lines)
  putScreen(own, { input, as, ...(checks.length ? { checks } : {}), to })
}

function withLines(
  text: string | Record<string, string>,
  lines: { key: string; label: string | Record<string, string> }[],
) {
  const languages = [text, ...lines.map(({ label }) => label)].flatMap((one) =>
    typeof one === 'string' ? [] : Object.keys(one),
  )
  const line = (one: string | Record<string, string>, language: string) =>
    typeof one === 'string' ? one : one[language]!
  const said = (language: string) =>
    [line(text, language), ...lines.map(({ key, label }) => `${key}. ${line(label, language)}`)].join('\n')
  return languages.length === 0
    ? said('')
    : Object.fromEntries([...new Set(languages)].map((language) => [language, said(language)]))
}

interface AskedCheck {
  source: string
  wrong: string | Record<string, string>
}

/** Turns validators into checks. The back end does those that cannot be a check, after all the others. */
function checksOf(draft: ScreenDraft, as: string, keys: readonly string[]) {
  const checks: JourneyNode[] = []
  const asked: AskedCheck[] = []
  for (const validator of listOf(draft.screen.written.validators)) {
    const wrong = journeyText(validator.text ?? validator.error_message, draft, 'validators')
    const pattern = typeof validator.regex === 'string' ? patternOf(validator.regex, keys) : undefined
    const source = String(validator.expression ?? '').replace(/^\s*\{\{(.*)\}\}\s*$/s, '$1')
    const read = validator.expression === undefined ? undefined : readJinja(source)
    const holds = read && conditionIn(read, draft)
    const isKey = `answers.${as} in [${keys.map((key) => `'${key}'`).join(', ')}]`
    if (pattern !== undefined) checks.push({ pattern, wrong })
    else if (holds !== undefined && typeof holds !== 'boolean')
      checks.push({ if: keys.length ? { or: [isKey, holds] } : holds, wrong })
    else if (holds !== true) asked.push({ source: String(validator.regex ?? validator.expression), wrong })
  }
  return { checks, asked }
}

/**
 * Turns a regular expression that is searched for into one that matches the whole answer. Undefined if that is
 * impossible.
 */
export function patternOf(regex: string, keys: readonly string[]): string | undefined {
  const starts = regex.startsWith('^')
  const ends = /(?<!\\)\$$/.test(regex)
  const inner = regex.slice(starts ? 1 : 0, ends ? -1 : undefined)
  const hasAlternatives = /(?<!\\)\|/.test(inner)
  // `^a|b$` has its start or end in one alternative only.
  if (/(?<!\\|\[)[\^$]/.test(inner) || (hasAlternatives && (starts || ends) && !/^\([^()]*\)$/.test(inner)))
    return undefined
  const whole = `${starts ? '' : '.*'}${hasAlternatives ? `(?:${inner})` : inner}${ends ? '' : '.*'}`
  const pattern = keys.length ? [`(?:${whole})`, ...keys.map((key) => key.replace(/[^\w]/g, '\\$&'))].join('|') : whole
  return typeof compilePattern(pattern) === 'string' || pattern.length > 200 ? undefined : pattern
}

function askedChecks(draft: ScreenDraft, asked: AskedCheck[], as: string, to: string): string {
  const { carrying, screen, name } = draft
  const does = asked.map(({ source }) => source).join('; ')
  const op = operation(carrying, besides(draft, name, 'check'), { where: screen.at('validators'), does })
  op.args.value = `{answers.${as}}`
  const refused = Object.fromEntries(
    asked.map(({ source, wrong }, i) => {
      const remedy = `${carrying.backend}.${op.name} must refuse a wrong answer with the name invalid-${i + 1}`
      remark(carrying, screen, 'validators', {
        what: `'${source}' is too complex for a check`,
        remedy,
        lost: false,
      })
      return [`invalid-${i + 1}`, { to: name, notice: wrong }]
    }),
  )
  carrying.screens[op.name] = { call: `${carrying.backend}.${op.name}`, with: op.args, to, refused }
  return op.name
}

function menuScreen(draft: ScreenDraft): void {
  const { carrying, screen } = draft
  const items = screen.written.items as JourneyNode | undefined
  const choices = listOf(screen.written.options).map((option, i) => {
    const value = option.input_value
    if (value !== undefined && String(value) !== String(i + 1)) {
      const remedy =
        'the subscriber presses the number before the line; keys: { back: … } of the flow adds such a key to all screens'
      const what = `the option '${shortly(option.text)}' answers to '${String(value)}'`
      remark(carrying, screen, 'options', { what, remedy, lost: false })
    } else if (option.input_display !== undefined) {
      const what = `the option '${shortly(option.text)}' is shown as '${String(option.input_display)}'`
      remark(carrying, screen, 'options', { what, remedy: 'its line has a number like all others', lost: false })
    }
    return { label: journeyText(option.text, draft, 'options'), to: optionTo(draft, option, i) }
  })
  const menu = journeyText(screen.written.text, draft)
  if (!items) return putScreen(draft, { menu, choices })
  const rows = items.with_items ?? items.with_dict
  if (typeof rows === 'string') return listScreen(draft, items, { list: menu, choices })
  putScreen(draft, { menu, choices: [...writtenRows(draft, items, rows), ...choices] })
}

function optionTo(draft: ScreenDraft, option: JourneyNode, i: number): string {
  const name = besides(draft, draft.name, `option-${i + 1}`)
  return waysOf(draft, option.next_screen, { default: option.default_next_screen, key: 'options', name })
}

/** Rows that the journey itself has become choices that set its key. */
function writtenRows(draft: ScreenDraft, items: JourneyNode, rows: unknown): JourneyNode[] {
  const key = String(items.session_key)
  const to = waysOf(draft, items.next_screen, {
    default: undefined,
    key: 'items',
    name: besides(draft, draft.name, 'row'),
  })
  return Object.entries(Array.isArray(rows) ? rows : ((rows ?? {}) as JourneyNode)).map(([index, value]) => {
    const locals: Locals = Array.isArray(rows)
      ? { item: { value } }
      : { key: { value: index }, value: { value }, item: { value: index } }
    const one: ScreenDraft = { ...draft, locals: { ...draft.locals, ...locals } }
    return {
      label: journeyText(items.text, one, 'items'),
      set: { [draft.carrying.keyName(key)]: valueIn(items.value, one) ?? index },
      to,
    }
  })
}

function listScreen(draft: ScreenDraft, items: JourneyNode, shown: { list: unknown; choices: JourneyNode[] }): void {
  const { carrying, screen, name } = draft
  const key = String(items.session_key)
  const as = carrying.keyName(key)
  const source = String(items.with_items ?? items.with_dict)
    .replace(/^\s*\{\{(.*)\}\}\s*$/s, '$1')
    .trim()
  const read = readJinja(source)
  const found = read?.is === 'name' ? resolve(read.parts, carrying) : undefined
  let from = found && 'path' in found ? found.path : undefined
  if (from === undefined) {
    const op = operation(carrying, besides(draft, name, 'rows'), { where: screen.at('items'), does: source })
    op.fields.set('rows', 'rows')
    from = `data.${op.name}.rows`
    const remedy = `${carrying.backend}.${op.name} has to answer them as rows`
    remark(carrying, screen, 'items', {
      what: `the rows '${source}' are too complex for a flow`,
      remedy,
      lost: false,
    })
  }
  const [root, answered, field] = from.split('.')
  const answers = answerOf(`data.${answered}`, carrying) ?? answered!
  if (root === 'data' && from.split('.').length === 3) carrying.operations.get(answers)?.fields.set(field!, 'rows')
  if (items.with_dict !== undefined) {
    const remedy = 'the back end must answer it as rows of { key, value }'
    remark(carrying, screen, 'items', { what: `'${source}' is a dict`, remedy, lost: false })
  }
  const own: ScreenDraft = {
    ...draft,
    locals: { item: { path: 'row' }, key: { path: 'row.key' }, value: { path: 'row.value' } },
  }
  const next = waysOf(draft, items.next_screen, { default: undefined, key: 'items', name: besides(draft, name, 'row') })
  const to = keep(draft, key, `chosen.${as}${fieldOf(items.value)}`, next)
  const empty = shown.choices.length ? {} : { empty: besides(draft, name, 'empty') }
  if (!shown.choices.length) carrying.screens[besides(draft, name, 'empty')] = { end: shown.list }
  putScreen(draft, {
    list: shown.list,
    from,
    row: journeyText(items.text, own, 'items'),
    as,
    to,
    choices: shown.choices,
    ...empty,
  })
  if (found && 'path' in found) return
  carrying.screens[besides(draft, name, 'list')] = carrying.screens[name]!
  const asked = besides(draft, name, 'rows')
  carrying.screens[name] = {
    call: `${carrying.backend}.${asked}`,
    as: asked,
    expect: { rows: 'rows' },
    to: besides(draft, name, 'list'),
  }
}

function routerScreen(draft: ScreenDraft): void {
  const { written } = draft.screen
  const items = written.with_items ?? written.with_dict
  const options = listOf(written.router_options)
  const to = { default: written.default_next_screen, key: 'router_options', name: draft.name }
  if (items === undefined) return void waysOf(draft, options, to)
  if (typeof items === 'string') {
    // Only the back end, which has the rows, can find the first row for which the condition holds.
    const bare = (template: unknown) => String(template).replace(/[{}]/g, '').trim()
    const asked = options.map((option) => ({
      ...option,
      expression: `some row of ${bare(items)}: ${bare(option.expression)}`,
    }))
    return void waysOf(draft, asked, to)
  }
  const each = Object.entries(items as JourneyNode).flatMap(([key, value]) =>
    options.map((option) => {
      const locals: Locals = Array.isArray(items)
        ? { item: { value } }
        : { key: { value: key }, value: { value }, item: { value: key } }
      return { ...option, locals }
    }),
  )
  waysOf(draft, each, to)
}

function shortly(text: unknown): string {
  const said = text !== null && typeof text === 'object' ? Object.values(text)[0] : text
  return String(said).trim().slice(0, 30)
}
