/** admin.tokensFile of tests. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tokenHash } from '../../src/admin/access.ts'
import { ROLE_NAMES } from '../../src/admin/roles.ts'
import type { Settings } from '../../src/config/schema.ts'

/** All roles, as such a line has them. */
export const ALL_ROLES = ROLE_NAMES.join()

/** Lets tokens in: each with its roles, as such a line has them, and a name. */
export function letIn(
  { admin, data }: Pick<Settings, 'admin' | 'data'>,
  ...lines: { token: string; roles: string; name: string }[]
): void {
  admin.tokensFile = join(data, 'tokens')
  const text = lines.map(({ token, roles, name }) => `${roles}:${tokenHash(token).toString('hex')} ${name}\n`)
  writeFileSync(admin.tokensFile, text.join(''), { mode: 0o600 })
}
