/**
 * GET /v1/lines/LINE/trace: the last PDUs of a line, as a capture file or a listing. Unmasked only for a token that
 * has the role support, too.
 */
import type { Context } from 'hono'
import { z } from 'zod'
import { lacking, writtenNumber, type Admitted, type RouteDeps } from './shared.ts'

export const traceQuery = z.strictObject({
  last: z.coerce.number().int().min(1).max(1_000_000).optional(),
  msisdn: writtenNumber.optional(),
  clear: z.literal('true').optional(),
  form: z.enum(['pcap', 'text']).default('pcap'),
})

export const traceRoute =
  ({ service, audit }: RouteDeps) =>
  (c: Context<Admitted>): Response => {
    const read = traceQuery.safeParse(c.req.query())
    if (!read.success) {
      const error = 'last: a number · msisdn: international digits · clear=true · form: pcap or text'
      return c.json({ error, try: '/v1/lines/NAME/trace?last=500' }, 400)
    }
    const { last, msisdn, clear, form } = read.data
    const line = c.req.param('line') ?? ''
    const refusal = clear && lacking(c, { audit }, 'support', 'trace')
    if (refusal) return refusal
    const trace = service.trace(line, { last, msisdn, clear: clear !== undefined })
    if (!trace) return c.json({ error: 'there is no such line' }, 404)
    audit(c, 'trace taken', {
      line,
      clear: clear !== undefined,
      pdus: trace.pdus,
      ...(msisdn === undefined ? {} : { msisdn }),
    })
    if (form === 'text') return c.text(trace.text())
    return c.body(new Uint8Array(trace.pcap()), 200, { 'content-type': 'application/vnd.tcpdump.pcap' })
  }
