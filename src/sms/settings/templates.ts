/**
 * Registered templates: in some countries an operator delivers only texts that were registered before, each with the
 * template's id in a parameter of its own (India's DLT). `{#var#}` is where a text may differ. Pure.
 */
import { z } from 'zod'

/** What a regulator's portal calls a variable; `{#numeric#}` and others are more of them. */
const VARIABLE = /\{#[a-z]{1,20}#\}/g
/** How many characters one variable may stand for: DLT allows 30. */
const VARIABLE_MAX = 30
const TEXT_MAX = 2_000
const VARIABLES_MAX = 100

export const smsTemplate = z.strictObject({
  id: z
    .string()
    .min(1)
    .max(64)
    .regex(/^[\x21-\x7e]+$/, 'printable ASCII, as the registry gave it; write it in quotes')
    .describe('the id that the registry gave it; in quotes, because it is longer than a number can be'),
  text: z
    .string()
    .min(1)
    .max(TEXT_MAX)
    .superRefine((text, issue) => {
      const message = writtenFault(text)
      if (message) issue.addIssue({ code: 'custom', message })
    })
    .describe('the registered text, with {#var#} where it may differ, each for up to 30 characters'),
})

export type SmsTemplate = z.infer<typeof smsTemplate>

function writtenFault(text: string): string | undefined {
  const pieces = text.split(VARIABLE)
  if (pieces.length > VARIABLES_MAX) return `more than ${VARIABLES_MAX} variables`
  if (pieces.every((piece) => piece.trim() === '')) return 'only variables: any text would fit'
  return pieces.some((piece) => piece.includes('{#')) ? 'a variable is written {#var#}' : undefined
}

/** Whether the text is the template with something in the place of each variable, or with nothing. */
export function fitsTemplate(text: string, template: string): boolean {
  const [first, ...rest] = plainBreaks(template).split(VARIABLE)
  const given = plainBreaks(text)
  if (!given.startsWith(first!)) return false
  // Where the next piece may begin. Each is at most VARIABLE_MAX on, so there are few.
  let ends = new Set([first!.length])
  for (const piece of rest) {
    const next = new Set<number>()
    for (const end of ends) {
      for (let at = end; at <= Math.min(end + VARIABLE_MAX, given.length - piece.length); at++)
        if (given.startsWith(piece, at)) next.add(at + piece.length)
    }
    if (next.size === 0) return false
    ends = next
  }
  return ends.has(given.length)
}

/** The first template that fits. Undefined: none does. */
export function templateOf(text: string, templates: readonly SmsTemplate[]): SmsTemplate | undefined {
  return templates.find((template) => fitsTemplate(text, template.text))
}

const plainBreaks = (text: string) => text.replaceAll('\r\n', '\n')
