/** What the findings suggest for the settings of the line and for its profile. */
import { stringify } from 'yaml'
import type { ExamPlan } from './exam.ts'
import type { Finding } from './finding.ts'

/** A line for `lines:` of the settings, as YAML. The password is the path of a file and is never written here. */
export function suggestedLine(findings: readonly Finding[], plan: ExamPlan, name: string): string {
  const { hosts, systemId, systemType, addressRange, addrTon, addrNpi, tls } = plan.smsc
  const given = Object.assign({}, ...findings.map((it) => it.settings ?? {})) as Record<
    string,
    string | number | boolean
  >
  const { host, port } = hosts[0]!
  const line: Record<string, unknown> = {
    name,
    smsc: {
      host,
      port,
      systemId,
      passwordFile: `./secrets/${name}`,
      ...(systemType ? { systemType } : {}),
      ...(addressRange ? { addressRange } : {}),
      ...(addrTon ? { addrTon } : {}),
      ...(addrNpi ? { addrNpi } : {}),
      ...(tls ? { tls: plan.tlsFiles ?? {} } : {}),
    },
    bind: 'transceiver',
    links: 1,
    dialect: plan.dialect?.name ?? 'standard',
    ...(plan.source.addr && findings.some((it) => it.check === 'sms-gsm7' && it.verdict === 'pass')
      ? { sms: { source: plan.source.addr } }
      : {}),
  }
  for (const [path, value] of Object.entries(given)) {
    const [first, second] = path.split('.') as [string, string?]
    if (second === undefined) line[first] = value
    else if (first !== 'sms' || line.sms) line[first] = { ...(line[first] as object), [second]: value }
  }
  return stringify([line], { lineWidth: 110 }).trimEnd()
}

/** Keys for the profile, or '' if nothing differs. The profile must `extends` the one that the line names. */
export function suggestedProfile(findings: readonly Finding[], name: string): string {
  const keys = Object.assign({}, ...findings.map((it) => it.profile ?? {})) as Record<string, string>
  if (Object.keys(keys).length === 0) return ''
  const dialect = findings.find((it) => it.settings?.dialect)?.settings?.dialect ?? 'standard'
  const profile: Record<string, unknown> = { name, extends: dialect }
  for (const [path, value] of Object.entries(keys)) {
    const parts = path.split('.')
    let at = profile
    for (const part of parts.slice(0, -1)) at = (at[part] ??= {}) as Record<string, unknown>
    at[parts.at(-1)!] = value === 'true' ? true : value
  }
  return stringify(profile, { lineWidth: 110 }).trimEnd()
}
