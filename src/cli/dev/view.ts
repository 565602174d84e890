/** What the page of a designer shows: flows with what is wrong, the phone, its dialogue without secrets, and calls. */
import { isAbsolute, relative } from 'node:path'
import type { FlowProblem } from '../../flow/check/index.ts'
import { secretsOf } from '../../flow/language/index.ts'
import { splitSms } from '../../sms/pdu/index.ts'
import { alphabetOf, count, fits, type JsonObject, uncodableAt, USSD_PAGE } from '../../ussd/index.ts'
import { placeOf, walkedWords } from '../check/check-report.ts'
import type { Answers } from './answers.ts'
import type { FlowEntries, WatchedFlow } from './entries.ts'
import type { DesignerPhone, DesignerSms, Dialogue } from './phone.ts'

/** How many problems of a flow the page shows. */
const PROBLEMS_MAX = 100
/** How long a value of the dialogue is shown. */
const VALUE_CHARS_MAX = 600
const MASK = '****'

interface ViewDeps {
  folder: string
  entries: FlowEntries
  phone: DesignerPhone
  answers: Answers
  codeOf(name: string): string
  /** How the back ends of the settings are; '' without settings. */
  backends(): { text: string; isBad: boolean }
  /** What is wrong with the settings. */
  settings: readonly FlowProblem[]
}

export function designerView(deps: ViewDeps): () => object {
  let serial = 0
  const { entries, phone, answers, codeOf } = deps
  return () => {
    const { dialogue } = phone
    const current = entries.get(phone.dialledLast) ?? entries.all[0]
    return {
      serial: ++serial,
      folder: deps.folder,
      folderProblem: entries.problem ?? null,
      backends: deps.backends(),
      settings: deps.settings.map(problemView),
      flows: entries.all.map((one) => flowView(one, codeOf(one.name))),
      phone: phoneView(phone),
      dialogue: dialogue ? dialogueView(dialogue) : null,
      calls: answers.calls,
      current: current?.name ?? '',
      operations: current?.compilation ? answers.operations(current.name, current.compilation) : [],
    }
  }
}

function flowView({ name, is, compilation, problems, walked, isChecking }: WatchedFlow, code: string): object {
  const live = problems.filter(({ accepted }) => accepted === undefined)
  return {
    name,
    code,
    is,
    revision: compilation?.flow.revision ?? null,
    languages: compilation?.flow.languages ?? [],
    isChecking,
    walked: walked ? walkedWords(walked) : '',
    errors: live.filter(({ severity }) => severity === 'error').length,
    warnings: live.filter(({ severity }) => severity === 'warning').length,
    problems: live.slice(0, PROBLEMS_MAX).map(problemView),
  }
}

function problemView(problem: FlowProblem): object {
  const { severity, rule, what, remedy, excerpt, shown } = problem
  const { file, line, column } = placeOf(problem)
  const near = isAbsolute(file) ? relative('.', file) : file
  const place = [near.startsWith('..') ? file : near, line, column].filter((part) => part !== undefined).join(':')
  return { severity, rule: rule ?? '', place, what, remedy: remedy ?? '', excerpt: excerpt ?? '', shown: shown ?? '' }
}

function phoneView(phone: DesignerPhone): object {
  const { msisdn, language, isWaiting, failed, said, dialogue, inbox } = phone
  return {
    msisdn,
    language: language ?? '',
    waiting: isWaiting,
    hasDialled: phone.dialledLast !== '',
    failed,
    said,
    screen: isWaiting || !dialogue ? null : screenView(dialogue),
    inbox: inbox.map(smsView),
  }
}

function screenView({ want }: Dialogue): object {
  const alphabet = alphabetOf(want.text)
  return {
    text: want.text,
    open: want.do === 'ask',
    isNotice: want.do === 'notify',
    isSecret: want.do === 'ask' && want.secret === true,
    over: !fits(want.text, USSD_PAGE),
    units: count(want.text, alphabet),
    alphabet,
    most: alphabet === 'gsm7' ? USSD_PAGE.septets : USSD_PAGE.ucs2,
    forcedBy: alphabet === 'gsm7' ? '' : firstUncodable(want.text),
    ended: want.do === 'end' ? want.reason : '',
  }
}

/** The first character that GSM 7-bit lacks. */
function firstUncodable(text: string): string {
  const at = uncodableAt(text)
  return at < 0 ? '' : String.fromCodePoint(text.codePointAt(at)!)
}

function smsView({ from, text, atMs, when }: DesignerSms): object {
  const { alphabet, parts } = splitSms(text, { concatenation: 'udh8' }, 1)
  const sent = parts.map((part) => part.text).join('')
  const units = `${count(sent, alphabet)} ${alphabet === 'gsm7' ? 'septets' : 'UCS-2 units'}`
  const length = `${units}, ${parts.length} ${parts.length === 1 ? 'part' : 'parts'}`
  return { from, text, atMs, parts: parts.length, length, ...(when === '' ? {} : { when }) }
}

function dialogueView({ name, compilation, snapshot, want, visited }: Dialogue): object {
  return {
    flow: name,
    revision: compilation.flow.revision,
    screen: want.screen,
    visited: [...new Set(visited)],
    values: valuesIn(snapshot.context, secretsOf(compilation.definition)),
  }
}

/** By the names that a flow has for them. */
function valuesIn(context: JsonObject, secrets: ReadonlySet<string>): { name: string; value: string }[] {
  const rows = [{ name: 'language', value: String(context.language) }]
  for (const root of ['answers', 'chosen', 'vars', 'data']) {
    const held = (context[root] ?? {}) as JsonObject
    for (const [name, value] of Object.entries(held)) {
      const isSecret = root === 'answers' && secrets.has(name)
      rows.push({ name: `${root}.${name}`, value: isSecret ? MASK : shortValue(value) })
    }
  }
  if (context.wrong) rows.push({ name: '(wrong answers in a row)', value: String(context.wrong) })
  if (context.notice) rows.push({ name: '(line above the next screen)', value: String(context.notice) })
  if (context.unsettled) rows.push({ name: '(outcome that nobody knows)', value: shortValue(context.unsettled) })
  return rows
}

function shortValue(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null'
  const rows = Array.isArray(value) ? value.length : Array.isArray((value as { rows?: unknown })?.rows)
  const cut = text.length > VALUE_CHARS_MAX ? `${text.slice(0, VALUE_CHARS_MAX)}…` : text
  return typeof rows === 'number' && text.length > VALUE_CHARS_MAX ? `${cut} (${rows} rows)` : cut
}
