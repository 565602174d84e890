/** `doctor`: examines the link to an SMSC and writes a sheet for both sides to sign. */
import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { systemClock, UsageError, packageVersion } from '../../base/index.ts'
import {
  examine,
  smsCount,
  EXAM_TIMES,
  type ExamPlan,
  type ExamTimes,
  type Finding,
  sheetHtml,
  countsText,
  findingText,
  sheetOf,
  type AcceptanceSheet,
} from '../../tools/doctor/index.ts'
import { maskNumber } from '../../tools/capture/index.ts'
import { loadDialect, loadProfile } from '../../smpp/dialect/index.ts'
import type { LineSettings } from '../../smpp/session/index.ts'
import type { Dialect } from '../../smpp/index.ts'
import { DIALECTS, knownProfiles } from './dialect.ts'
import { sameKeyWarningsOn } from '../check/same-key.ts'
import { chosenSmsc, type ChosenSmsc, type SmscCommandOptions } from './smsc-options.ts'
import type { Say } from '../arguments.ts'

export interface DoctorOptions extends SmscCommandOptions {
  dialect?: string
  msisdn?: string
  source?: string
  code?: string
  push?: boolean
  window: number
  rateSms: number
  wrongPassword?: boolean
  deadPeer: number
  wait: number
  receipts: number
  yes?: boolean
  operator?: string
  json?: boolean
  html?: string
  showNumbers?: boolean
  /** Shorter times, for tests. */
  times?: Partial<ExamTimes>
}

/** Throws UsageError if the examination cannot begin. What an SMSC does wrong is in the sheet. */
export async function doctorCommand(
  options: DoctorOptions,
  say: Say,
  ask: (question: string) => Promise<boolean> = askTerminal,
): Promise<AcceptanceSheet> {
  const clock = systemClock()
  const { line, dialect, sms } = lineOf(options)
  const plan = planOf(options, line, { dialect, sms })
  const smsMax = smsCount(plan)
  // With --json, standard output has the sheet and nothing else.
  const live: Say = options.json ? () => undefined : say
  live(announcement(plan, smsMax))
  const warnings = options.config === undefined ? [] : await sameKeyWarningsOn(options.config, line.name)
  if (warnings.length > 0) live(`the flows on this line:\n${warnings.join('\n')}`)
  if (smsMax > 0 && !options.yes && !(await ask(`Send up to ${smsMax} SMS to ${plan.msisdn}? [y/N] `))) {
    throw new UsageError('nothing was sent (--yes skips this question)')
  }
  const told = new Set<string>()
  const tell = (finding: Finding): void => {
    told.add(finding.check)
    live(maskUnless(options.showNumbers, findingText(finding), plan.msisdn))
  }
  const findings = await examine(plan, {
    clock,
    say: live,
    onFinding: tell,
    known: { profiles: knownProfiles(), standard: loadProfile('standard', DIALECTS) },
  })
  const sheet = sheetOf(findings, {
    plan,
    line: line.name,
    operator: options.operator ?? '',
    atMs: clock.now(),
    showNumbers: options.showNumbers === true,
    smsMax,
    version: packageVersion(),
  })
  if (options.html !== undefined) {
    writeFileSync(options.html, sheetHtml(sheet), { mode: 0o600 })
    live(`\nsheet: ${options.html}`)
  }
  if (options.json) say(JSON.stringify(sheet, null, 2))
  else {
    for (const finding of findings.filter((it) => !told.has(it.check))) live(findingText(finding))
    live(`\n${countsText(sheet)}\n\nfor the settings, under lines:\n\n${sheet.settings}`)
    if (sheet.profile) live(`\ndialects/${sheet.line}.yaml:\n\n${sheet.profile}`)
  }
  return sheet
}

function maskUnless(showNumbers: boolean | undefined, text: string, msisdn: string | undefined): string {
  return showNumbers || msisdn === undefined ? text : text.replaceAll(msisdn, maskNumber(msisdn))
}

interface Chosen {
  dialect: Dialect | undefined
  sms: ChosenSmsc['sms']
}

function lineOf(options: DoctorOptions): Chosen & { line: LineSettings } {
  const { line, dialect, sms } = chosenSmsc(options, 'doctor')
  const name = options.dialect ?? dialect?.name
  return { line, sms, dialect: name === undefined ? undefined : loadDialect(name, dialect?.dirs ?? DIALECTS) }
}

/** TON and NPI as networks expect them: alphanumeric, short code, or international number. */
function sourceOf(addr: string): ExamPlan['source'] {
  const isDigits = /^\d+$/.test(addr)
  return { addr, ton: addr === '' ? 0 : isDigits ? (addr.length <= SHORT ? 3 : 1) : 5, npi: isDigits ? 1 : 0 }
}

function tlsFiles({ ca, cert, key, servername }: DoctorOptions): Record<string, string> {
  return Object.fromEntries(
    Object.entries({ ca, cert, key, servername }).filter((it): it is [string, string] => it[1] !== undefined),
  )
}

function planOf(options: DoctorOptions, line: LineSettings, { dialect, sms }: Chosen): ExamPlan {
  const msisdn = options.msisdn?.replace(/^\+/, '')
  if (msisdn !== undefined && !/^[1-9]\d{7,14}$/.test(msisdn)) {
    throw new UsageError(`--msisdn ${msisdn}: international digits, such as 67570000001`)
  }
  const needs = [
    options.code === undefined ? '' : '--code',
    options.push ? '--push' : '',
    options.rateSms > 0 ? '--rate-sms' : '',
  ].filter(Boolean)
  if (msisdn === undefined && needs.length > 0)
    throw new UsageError(`${needs.join(', ')}: also give --msisdn, the MSISDN of a test handset`)
  const { source, sourceTon, sourceNpi } = line.sms
  return {
    smsc: line.smsc,
    tlsFiles: tlsFiles(options),
    ...(msisdn === undefined ? {} : { msisdn }),
    ...(dialect ? { dialect } : {}),
    ...(options.code === undefined ? {} : { code: options.code }),
    ...(sms ? { sms: { ...sms, plain: sms } } : {}),
    source: options.source === undefined ? { addr: source, ton: sourceTon, npi: sourceNpi } : sourceOf(options.source),
    push: options.push === true,
    windowSms: msisdn === undefined ? 0 : options.window,
    rateSms: options.rateSms,
    wrongPassword: options.wrongPassword === true,
    deadPeerMs: options.deadPeer * 1_000,
    times: { ...EXAM_TIMES, handsetMs: options.wait * 1_000, receiptMs: options.receipts * 1_000, ...options.times },
  }
}

/** The most digits of a short code; longer ones are international numbers. */
const SHORT = 6

function announcement(plan: ExamPlan, smsMax: number): string {
  const { host, port } = plan.smsc.hosts[0]!
  const who = `${host}:${port} as ${plan.smsc.systemId}`
  if (plan.msisdn === undefined) return `testing ${who}; no SMS and no USSD, because there is no --msisdn`
  const ussd = `${plan.code === undefined ? '' : `, one call to ${plan.code}`}${plan.push ? ', two pushes' : ''}`
  return `testing ${who}; up to ${smsMax} SMS${ussd}, all to the test handset, none to other numbers`
}

async function askTerminal(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new UsageError('there is no terminal to ask on: give --yes')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await terminal.question(question)
  terminal.close()
  return /^y(es)?$/i.test(answer.trim())
}
