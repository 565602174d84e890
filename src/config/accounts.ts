/** Lines that use one account of an SMSC: they have one cap between them. */
import type { Problem } from '../base/index.ts'
import type { ConfiguredLine, Settings } from './schema.ts'

type Where = (path: PropertyKey[]) => string

/** By this the cap of a line is known, in all daemons. */
export function capAccount({ name, submits }: Pick<ConfiguredLine, 'name' | 'submits'>): string {
  return submits.account ?? name
}

/** One account has one cap: lines that say different ones cannot both be right. */
export function accountProblems({ lines }: Settings, where: Where): Problem[] {
  return lines.flatMap((line, i): Problem[] => {
    const { perSecond, ussdShare } = line.submits
    if (line.submits.account !== undefined && perSecond === undefined) {
      const what = `line '${line.name}' names an account, and has no cap to share`
      return [{ where: where(['lines', i, 'submits', 'account']), what, remedy: 'set submits.perSecond' }]
    }
    const first = lines.find((other) => other.submits.perSecond !== undefined && capAccount(other) === capAccount(line))
    if (perSecond === undefined || !first || first === line) return []
    if (first.submits.perSecond === perSecond && first.submits.ussdShare === ussdShare) return []
    const what = `lines '${first.name}' and '${line.name}' share the account '${capAccount(line)}', with different caps`
    const remedy = 'give both the same submits.perSecond and ussdShare'
    return [{ where: where(['lines', i, 'submits']), what, remedy }]
  })
}
