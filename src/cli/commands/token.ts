/** `token`: a new token for the admin API. */
import type { Command } from 'commander'
import type { Say } from '../arguments.ts'
import { createHash, randomBytes } from 'node:crypto'
import { UsageError } from '../../base/index.ts'

export function registerToken(program: Command, say: Say): void {
  program
    .command('token')
    .description('makes an admin token, and its line for admin.tokensFile')
    .argument('<role>', 'read or operate')
    .action(async (role: string) => tokenCommand(role, say))
}

/** A new token, said once, and the line of admin.tokensFile that lets it in. */
export function tokenCommand(role: string, say: Say): void {
  if (role !== 'read' && role !== 'operate') throw new UsageError(`'${role}' is not a role: write read or operate`)
  const token = randomBytes(32).toString('base64url')
  say(`token, for the person who may ${role}:   ${token}`)
  say(`line, for admin.tokensFile:      ${role}:${createHash('sha256').update(token).digest('hex')}`)
}
