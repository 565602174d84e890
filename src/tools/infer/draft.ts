/** The draft of a profile: findings, each with how sure it is, over a base profile that fills the gaps. */
import { merge, dialectProfile, type DialectProfile } from '../../smpp/dialect/index.ts'

/** One field of the profile. */
export interface InferredField {
  /** `outbound.actions.end.op` */
  path: string
  /** `null` removes the field of the base profile. */
  value: unknown
  sure: boolean
  /** `seen 6 of 6`, or why it is doubtful. */
  note: string
}

export interface Draft {
  sure(path: string, value: unknown, note: string): void
  doubtful(path: string, value: unknown, why: string): void
  /** Nothing was seen that decides the value: the base profile's value stays. */
  untold(path: string, why: string): void
  findings(): readonly InferredField[]
  /** Fields of which nothing was seen, and why. */
  gaps(): readonly { path: string; why: string }[]
  /** The profile as found so far. */
  profile(): DialectProfile
}

export function newDraft(base: DialectProfile, name: string): Draft {
  const findings = new Map<string, InferredField>()
  const gaps = new Map<string, string>()
  let made: DialectProfile | undefined
  const put = (finding: InferredField) => {
    findings.set(finding.path, finding)
    gaps.delete(finding.path)
    made = undefined
  }
  return {
    sure: (path, value, note) => put({ path, value, sure: true, note }),
    doubtful: (path, value, why) => put({ path, value, sure: false, note: why }),
    untold: (path, why) => void gaps.set(path, why),
    findings: () => [...findings.values()],
    gaps: () => [...gaps].map(([path, why]) => ({ path, why })),
    profile() {
      made ??= profileOf(base, name, findings.values())
      return made
    },
  }
}

function profileOf(base: DialectProfile, name: string, findings: Iterable<InferredField>): DialectProfile {
  let plain: unknown = {
    ...base,
    name,
    seen: 'a recording',
    confidence: 'captured',
    notes: ['Inferred from recorded PDUs.'],
  }
  for (const { path, value } of findings) plain = merge(plain, nested(path.split('.'), value))
  return dialectProfile.parse(plain)
}

function nested(steps: readonly string[], value: unknown): unknown {
  return steps.reduceRight<unknown>((inner, step) => ({ [step]: inner }), value)
}

/** Whether a finding or a gap at this path, above it or below it may be wrong. */
export function isDoubted(draft: Draft, path: string): boolean {
  const touches = (other: string) => other === path || other.startsWith(`${path}.`) || path.startsWith(`${other}.`)
  const known = draft.findings().filter((it) => touches(it.path))
  return known.some((it) => !it.sure) || draft.gaps().some((it) => touches(it.path))
}
