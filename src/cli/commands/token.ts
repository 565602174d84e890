/** `token`: a new token for the admin API. */
import { InvalidArgumentError, type Command } from 'commander'
import type { Say } from '../arguments.ts'
import { createHash, randomBytes } from 'node:crypto'

export function registerToken(program: Command, say: Say): void {
  program
    .command('token')
    .description('makes an admin token, and its line for admin.tokensFile')
    .argument('<role>', 'read, operate, or sms: for an application that only sends SMS')
    .action(async (role: string) => tokenCommand(role, say))
}

/** As admin.tokensFile knows them (src/admin/access.ts). */
const ROLES: readonly string[] = ['read', 'operate', 'sms']

/** Prints a new token once, and its line for admin.tokensFile. */
export function tokenCommand(role: string, say: Say): void {
  if (!ROLES.includes(role))
    throw new InvalidArgumentError(`'${role}' is not a role: write ${ROLES.join(', ').replace(/, (\w+)$/, ' or $1')}`)
  const token = randomBytes(32).toString('base64url')
  say(`token, for the role ${role}:   ${token}`)
  say(`line, for admin.tokensFile:      ${role}:${createHash('sha256').update(token).digest('hex')}`)
}
