/**
 * The acceptance sheet as data and as text. Subscribers' numbers are masked unless asked for. Passwords are never in
 * it.
 */
import { capturedFrames, maskNumber, maskNumbers, maskOctets, showPdu } from '../capture/index.ts'
import { suggestedLine, suggestedProfile } from './advice.ts'
import type { ExamPlan } from './exam.ts'
import { CHECKS, type CheckId, type Finding, type Taped, type CheckVerdict } from './finding.ts'

export interface AcceptanceSheet {
  line: string
  /** The facts above the table. */
  facts: [string, string][]
  rows: Row[]
  /** YAML. */
  settings: string
  /** YAML, or ''. */
  profile: string
  counts: Record<CheckVerdict, number>
}

export interface Row {
  check: CheckId
  group: string
  title: string
  verdict: CheckVerdict
  said: string
  advice: string
  handset: string
  evidence: ShownPdu[]
}

export interface ShownPdu {
  at: string
  /** The command and its fields. */
  words: string[]
  hex: string
}

export interface SheetInput {
  plan: ExamPlan
  /** The name of the line. */
  line: string
  operator: string
  atMs: number
  showNumbers: boolean
  smsMax: number
  version: string
}

export function sheetOf(findings: readonly Finding[], parts: SheetInput): AcceptanceSheet {
  const { plan, line, operator, atMs, showNumbers } = parts
  const hide = showNumbers ? (text: string) => text : hider(plan.msisdn)
  const { hosts, systemId, tls } = plan.smsc
  const counts: Record<CheckVerdict, number> = { pass: 0, fail: 0, 'not-supported': 0, 'not-tested': 0 }
  for (const { verdict } of findings) counts[verdict]++
  const profile = suggestedProfile(findings, line)
  const settings = suggestedLine(findings, plan, line)
  return {
    line,
    counts,
    facts: [
      ['Operator', operator || '-'],
      ['Date', new Date(atMs).toISOString().replace('T', ' ').replace(/\.\d+/, '').replace('Z', ' UTC')],
      ['Line', line],
      ['SMSC', `${hosts[0]!.host}:${hosts[0]!.port}${tls ? ', TLS' : ', no TLS'}`],
      ['System id', systemId],
      ['Test handset', plan.msisdn ? hide(plan.msisdn) : 'none'],
      ['SMS source', plan.source.addr || '-'],
      ['SMS allowed', String(parts.smsMax)],
      ['Examined by', `ussd-connector ${parts.version}`],
    ],
    rows: findings.map((it) => ({
      check: it.check,
      group: CHECKS[it.check][0],
      title: CHECKS[it.check][1],
      verdict: it.verdict,
      said: hide(it.said),
      advice: it.advice ?? '',
      handset: it.verdict === 'pass' ? (it.handset ?? '') : '',
      evidence: it.evidence.map((one) => shownPdu(one, showNumbers, hide)),
    })),
    settings: profile ? settings.replace(/^( +dialect: ).*$/m, `$1./dialects/${line}.yaml`) : settings,
    profile,
  }
}

/** Hides long numbers, and the number of the test handset in whatever way the network writes it. */
function hider(msisdn: string | undefined): (text: string) => string {
  const tail = msisdn?.slice(-TAIL)
  return (text) => {
    const masked = maskNumbers(text)
    return tail ? masked.replace(/\d{7,}/g, (digits) => (digits.includes(tail) ? maskNumber(digits) : digits)) : masked
  }
}

const TAIL = 7

function shownPdu(taped: Taped, showNumbers: boolean, hide: (text: string) => string): ShownPdu {
  const octets = showNumbers ? taped.octets : Buffer.from(hide(maskOctets(taped.octets).toString('latin1')), 'latin1')
  const [decoded] = capturedFrames([{ atMs: taped.atMs, link: 'doctor', from: taped.from, octets }]).pdus
  const lines = decoded
    ? showPdu({ ...decoded, from: taped.from }, 'as-they-are')
    : [`${taped.from === 'smsc' ? '<' : '>'} ${nameOf(octets)}`, '']
  return {
    at: new Date(taped.atMs).toISOString().slice(11, 23),
    words: lines.slice(0, -1).map((it) => it.trimStart()),
    hex: octets.toString('hex'),
  }
}

function nameOf(octets: Buffer): string {
  return `command 0x${octets.readUInt32BE(4).toString(16).padStart(8, '0')} ${octets.readUInt32BE(12)}`
}

const MARKS: Record<CheckVerdict, string> = {
  pass: 'pass',
  fail: 'FAIL',
  'not-supported': 'not supported',
  'not-tested': 'not tested',
}
export function markOf(verdict: CheckVerdict): string {
  return MARKS[verdict]
}

/** One or two lines for each check, for a terminal during the examination. */
export function findingText({
  check,
  verdict,
  said,
  advice,
}: Pick<Finding, 'check' | 'verdict' | 'said' | 'advice'>): string {
  const head = `${MARKS[verdict].padEnd(14)}${CHECKS[check][1]}: ${said}`
  return advice ? `${head}\n${' '.repeat(14)}-> ${advice}` : head
}

export function countsText({ counts }: Pick<AcceptanceSheet, 'counts'>): string {
  return (Object.keys(MARKS) as CheckVerdict[]).map((it) => `${counts[it]} ${MARKS[it].toLowerCase()}`).join(', ')
}
