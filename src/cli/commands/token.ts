/** `token`: a new token for the admin API. */
import { InvalidArgumentError, type Command } from 'commander'
import { asJson } from '../admin.ts'
import { jsonOption, type Say } from '../arguments.ts'
import { createHash, randomBytes } from 'node:crypto'

/** As src/admin/roles.ts has them: the command line loads no admin server for them. */
export const TOKEN_ROLES: readonly string[] = ['read', 'support', 'operate', 'publish', 'push', 'trace', 'sms']

export function registerToken(program: Command, say: Say): void {
  jsonOption(program.command('token'))
    .description('makes an admin token, and its line for admin.tokensFile')
    .argument('<roles...>', `one or more of ${TOKEN_ROLES.join(', ')}; none of them brings another one along`)
    .action(async (roles: string[], options: { json?: boolean }) => tokenCommand(roles, options, say))
}

/** Prints a new token once, and its line for admin.tokensFile. */
export function tokenCommand(written: readonly string[], { json }: { json?: boolean }, say: Say): void {
  const roles = [...new Set(written.flatMap((word) => word.split(',')))]
  const strange = roles.find((role) => !TOKEN_ROLES.includes(role))
  if (strange !== undefined)
    throw new InvalidArgumentError(
      `'${strange}' is not a role: write ${TOKEN_ROLES.join(', ').replace(/, (\w+)$/, ' or $1')}`,
    )
  const { token, line } = newToken(roles)
  if (json) return say(asJson({ roles, token, line }))
  say(`token, for ${roles.join(', ')}:   ${token}`)
  say(`line, for admin.tokensFile:      ${line}`)
}

/** A token that nobody can guess, and its line for admin.tokensFile. */
export function newToken(roles: readonly string[]): { token: string; line: string } {
  const token = randomBytes(32).toString('base64url')
  return { token, line: `${roles.join(',')}:${createHash('sha256').update(token).digest('hex')}` }
}
