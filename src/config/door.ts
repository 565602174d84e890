/** Checks of the settings of the HTTP ingress that need more than one key. */
import { didYouMean, type Problem, readSecretFile, TOKEN_REMEDY, weakness } from '../base/index.ts'
import type { Settings } from './schema.ts'

type Where = (path: PropertyKey[]) => string

/** Every file of the ingress with a secret, with its path. */
export function doorSecrets({ door }: Settings): [string | undefined, PropertyKey[]][] {
  return [
    [door?.tokenFile, ['door', 'tokenFile']],
    ...(door?.tokens ?? []).flatMap(({ tokenFile, hmac }, i): [string | undefined, PropertyKey[]][] => [
      [tokenFile, ['door', 'tokens', i, 'tokenFile']],
      [hmac?.keyFile, ['door', 'tokens', i, 'hmac', 'keyFile']],
    ]),
  ]
}

export function doorProblems(settings: Settings, where: Where): Problem[] {
  const { door } = settings
  if (!door) return []
  const problems = doorSecrets(settings).flatMap(([file, path]) => weakIn(file, where(path)))
  const codes = settings.services.map(({ code }) => code)
  door.tokens.forEach((caller, i) => {
    const at = (...more: PropertyKey[]) => where(['door', 'tokens', i, ...more])
    if (door.tokens.findIndex(({ name }) => name === caller.name) < i)
      problems.push({ where: at('name'), what: `two callers of the door are called '${caller.name}'` })
    if (caller.token !== undefined && caller.tokenFile !== undefined)
      problems.push({
        where: at('token'),
        what: `caller '${caller.name}' has both token and tokenFile`,
        remedy: 'remove the token',
      })
    if (caller.token === undefined && caller.tokenFile === undefined && !caller.hmac)
      problems.push({ where: at('name'), what: `caller '${caller.name}' has neither tokenFile nor hmac` })
    const why = caller.token === undefined ? undefined : weakness(caller.token)
    if (why !== undefined)
      problems.push({ where: at('token'), what: `the token of caller '${caller.name}' ${why}`, remedy: TOKEN_REMEDY })
    for (const code of caller.services ?? []) {
      if (codes.includes(code)) continue
      const what = `caller '${caller.name}': there is no service ${code}`
      problems.push({ where: at('services'), what, remedy: didYouMean(code, codes) })
    }
  })
  return problems
}

/** A fault of the file itself is reported elsewhere. */
export function weakIn(file: string | undefined, where: string): Problem[] {
  const read = file === undefined ? undefined : readSecretFile(file)
  const why = read && 'text' in read ? weakness(read.text.trim()) : undefined
  return why === undefined ? [] : [{ where, what: `the secret in ${file} ${why}`, remedy: TOKEN_REMEDY }]
}
