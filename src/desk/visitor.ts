/** Who looks at the desk, and what for: roles decide what is shown, and not only what works. */
import type { Settings } from '../config/index.ts'
import type { Token } from '../admin/index.ts'

export type DeskRole = NonNullable<Settings['admin']['trustedProxy']>['roles'][string][number]

export interface Visitor {
  /** In the audit log: the name of the token, or of the user of a proxy. */
  name: string
  roles: readonly DeskRole[]
  /** machine: the demo, which lets in everybody on this machine. */
  by: 'token' | 'proxy' | 'machine'
  /** In each form. */
  secret: string
  /** Ends it. Absent: it ends where it began. */
  session?: string
}

export const DESK_ROLES: readonly DeskRole[] = ['read', 'support', 'operate', 'publish', 'push', 'trace']

export function may(visitor: Pick<Visitor, 'roles'>, role: DeskRole): boolean {
  return visitor.roles.includes(role)
}

export function rolesOf(token: Pick<Token, 'roles'>): DeskRole[] {
  return DESK_ROLES.filter((role) => token.roles.includes(role))
}
