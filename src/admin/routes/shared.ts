/** What the admin routes share: their deps, the audit log and refusals. */
import type { Context } from 'hono'
import type { z } from 'zod'
import type { Counters } from '../../base/index.ts'
import type { Token } from '../access.ts'
import type { FleetService } from '../fleet-service.ts'
import type { FlowService } from '../flow-service.ts'
import type { AdminService } from '../service.ts'

/** What the token check stores for the routes. */
export interface Admitted {
  Variables: { token: Token | null }
}

export interface RouteDeps {
  service: AdminService
  flows: FlowService
  fleet: FleetService
  now(): number
  counters: Counters
  /** Logs who, what, before and after. */
  audit(c: Context<Admitted>, what: string, more: object): void
}

/** The digits of a number without its `+`. */
export const DIGITS = /^[1-9]\d{4,14}$/

/** What is wrong with a body, without its content. */
export function whyNot(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`).join('; ')
}
