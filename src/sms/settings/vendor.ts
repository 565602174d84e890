/** Parameters of a vendor's or a regulator's own in SMS, and the registry of templates: keys of `lines[].sms`. */
import { z } from 'zod'
import { smsTemplate, templateOf } from './templates.ts'

/** How many one SMS may have from one place, and how long each may be. */
const TLVS_MAX = 20
const OCTETS_MAX = 255
const TEMPLATES_MAX = 2_000

/** Parameters that the daemon writes itself. (SMPP v3.4 §5.3.2) */
const OWN = new Set([0x0204, 0x020c, 0x020e, 0x020f, 0x0424, 0x0501])

const tag = z
  .string()
  .regex(/^0x[0-9a-fA-F]{4}$/, 'a tag of four hex digits, such as "0x1400"')
  .refine((written) => !OWN.has(Number(written)), 'the daemon writes this parameter itself')

const value = z.union([
  z
    .string()
    .min(1)
    .max(OCTETS_MAX)
    .regex(/^[\x20-\x7e]*$/, 'ASCII'),
  z.strictObject({
    cstring: z
      .string()
      .max(OCTETS_MAX - 1)
      .regex(/^[\x20-\x7e]*$/, 'ASCII'),
  }),
  z.strictObject({ hex: z.string().regex(/^([0-9a-fA-F]{2}){0,255}$/, 'pairs of hex digits') }),
])

/** By tag. A text is its ASCII octets. */
export const vendorTlvs = z
  .record(tag, value)
  .refine((all) => Object.keys(all).length <= TLVS_MAX, `at most ${TLVS_MAX} parameters`)

export type VendorTlvs = z.infer<typeof vendorTlvs>

export const templatesSchema = z.strictObject({
  tag: tag.describe('the parameter with the id of the template, e.g. "0x1401"'),
  unmatched: z
    .enum(['fail', 'send'])
    .default('fail')
    .describe(
      'an SMS that no template fits: fail, because the operator would drop it, and bill it; send: without an id',
    ),
  list: z
    .array(smsTemplate)
    .min(1)
    .max(TEMPLATES_MAX)
    .refine((all) => new Set(all.map(({ id }) => id)).size === all.length, 'an id is there twice')
    .describe('the registered templates; the first that fits is taken'),
})

/** The octets of a parameter. */
export function vendorOctets(written: VendorTlvs[string]): Buffer {
  if (typeof written === 'string') return Buffer.from(written, 'latin1')
  return 'hex' in written ? Buffer.from(written.hex, 'hex') : Buffer.from(`${written.cstring}\0`, 'latin1')
}

export type Templates = z.infer<typeof templatesSchema>

/** Why this text must not go out, with the template that it names, if it names one. Undefined: it may. */
export function templateFault(
  text: string,
  named: string | undefined,
  { templates }: { templates?: Templates | undefined },
): string | undefined {
  if (!templates) return undefined
  const known = templates.list.filter(({ id }) => named === undefined || id === named)
  if (known.length === 0) return 'no registered template has this id'
  if (templateOf(text, known) || (named === undefined && templates.unmatched === 'send')) return undefined
  return named === undefined ? 'no registered template fits the text' : 'the text is not that of its template'
}
