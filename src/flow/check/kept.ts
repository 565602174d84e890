/** Checks that only answers are kept that may be: of reads, without secrets, and not of a call that settles another. */
import { pathsOf } from '../expression/index.ts'
import { type CallScreen, secretsOf } from '../language/index.ts'
import type { ReadFlow } from '../read/index.ts'
import type { Complain } from './check.ts'
import { callsIn } from './money.ts'

export function checkKept(read: ReadFlow, complain: Complain): void {
  const { definition, at } = read
  const calls = callsIn(definition)
  const settling = new Set(calls.flatMap(([, { settle }]) => settle ?? []))
  const secrets = secretsOf(definition)
  const isSecret = ({ with: args = {} }: CallScreen) =>
    Object.values(args).some((value) => pathsOf(value).some((path) => secrets.has(path)))
  for (const [name, screen] of calls) {
    if (screen.cache === undefined) continue
    const why = screen.once
      ? 'it changes something'
      : isSecret(screen)
        ? 'a secret goes with it'
        : settling.has(name)
          ? 'it tells what became of another call'
          : undefined
    if (why === undefined) continue
    complain('error', {
      where: at(['screens', name]),
      what: `screen '${name}': the answer of ${screen.call} is to be kept (cache), but ${why}`,
      remedy: 'remove cache: from the call or from the file of the back end, or use another operation',
    })
  }
}
