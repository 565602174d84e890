/** What the admin routes share: their deps, the audit log and refusals. */
import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { z } from 'zod'
import type { Audit } from '../../audit/index.ts'
import { maskMsisdn, type Counters, type Log } from '../../base/index.ts'
import type { FleetCommand } from '../../fleet/index.ts'
import type { Token } from '../access.ts'
import type { FleetService } from '../fleet-service.ts'
import type { FlowService } from '../flow-service.ts'
import { lacks, type AdminRole } from '../roles.ts'
import type { AdminService } from '../service.ts'

/** What the token check stores for the routes. */
export interface Admitted {
  Bindings: HttpBindings
  Variables: { token: Token | null }
}

export interface RouteDeps {
  service: AdminService
  flows: FlowService
  fleet: FleetService
  now(): number
  counters: Counters
  /** Keeps who, what, before and after. */
  audit(c: Context<Admitted>, what: string, more: object): void
}

/** To the log and to Postgres. */
export function auditing(log: Log, kept: Pick<Audit, 'note'>): RouteDeps['audit'] {
  return (c, what, more) => {
    const token = c.get('token')
    const by = { who: token?.name ?? '-', role: token?.roles.join() ?? '-', what }
    log.warn({ ...by, ...more }, 'admin audit')
    kept.note({ ...by, more })
  }
}

/** For a request of which only a part needs this role: the answer to a token that lacks it. */
export function lacking(c: Context<Admitted>, { audit }: Pick<RouteDeps, 'audit'>, role: AdminRole, what: string) {
  const has = c.get('token')?.roles ?? []
  if (has.includes(role)) return undefined
  audit(c, `${what} refused`, { needs: role })
  return c.json(lacks(has, [role]), 403)
}

/** The number of a subscriber, for an answer: only support sees all of it. */
export function shownNumber(c: Context<Admitted>, msisdn: string): string {
  return c.get('token')?.roles.includes('support') ? msisdn : maskMsisdn(msisdn)
}

/** Has this daemon do it, or the one that `?instance=` names, or `all`. */
export async function carriedOut(
  c: Context<Admitted>,
  command: FleetCommand,
  { fleet, audit }: Pick<RouteDeps, 'fleet' | 'audit'>,
): Promise<Response> {
  const by = c.get('token')?.name ?? '-'
  const done = await fleet.change(command, c.req.query('instance'), by)
  if (done.audit) audit(c, done.what, done.audit)
  return c.json(done.body, done.status as ContentfulStatusCode)
}

/** The digits of a number without its `+`. */
const DIGITS = /^[1-9]\d{4,14}$/

/** The number of a subscriber as somebody writes it, with or without its `+`. */
export const writtenNumber = z
  .string()
  .transform((written) => written.replace(/^\+/, '').trim())
  .pipe(z.string().regex(DIGITS, 'international digits'))
  .describe('international digits, such as 67570000001, with or without a +')

/** Which of the newest events are shown, and the most that can be asked for. */
const EVENTS = { usual: 50, most: 1_000 }

export const eventsAsked = z.object({
  last: z.coerce.number().int().min(1).max(EVENTS.most).default(EVENTS.usual).describe('how many of the newest'),
})
export const EVENTS_WRONG = { error: `last: a number from 1 to ${EVENTS.most}` }

/** The name of a line, a flow or a group. */
export const NAME = /^[a-z][a-z0-9-]{0,63}$/
export const nameSchema = z.string().regex(NAME)

/** What is wrong with a body, without its content. */
export function whyNot(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`).join('; ')
}
