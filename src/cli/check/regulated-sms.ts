/** What `check --config` says of SMS on the lines of the settings: settings that do nothing, and texts without a template. */
import type { Settings } from '../../config/index.ts'
import type { FlowProblem } from '../../flow/check/index.ts'
import { abandonedCall, SMS_SEND, type ScreenTypes } from '../../flow/language/index.ts'
import { readFlow, type FlowSource } from '../../flow/read/index.ts'
import { fitsTemplate, inertSettings } from '../../sms/settings/index.ts'

export function inertWarnings({ lines }: Settings): FlowProblem[] {
  return lines.flatMap(inertSettings).map(({ line, setting, why }) => ({
    severity: 'warning',
    rule: 'inert-setting',
    where: `line '${line}'`,
    what: `${setting} does nothing: ${why}`,
  }))
}

/** One for each text of a flow that no template of a line that offers the flow can fit, whatever its values are. */
export function templateWarnings(
  source: FlowSource,
  types: ScreenTypes,
  settings: Settings,
  flow: string,
): FlowProblem[] {
  const offers = settings.services.filter((service) => service.flow === flow)
  const regulated = settings.lines.flatMap(({ name, sms }) => {
    const isOffered = offers.some((service) => service.lines?.includes(name) ?? true)
    return isOffered && sms?.templates?.unmatched === 'fail' ? [{ name, list: sms.templates.list }] : []
  })
  if (regulated.length === 0) return []
  const read = readFlow(source, types)
  const texts = Object.entries(read.definition.screens).flatMap(([screen, written]) => {
    const is = abandonedCall(written) ?? written
    if (!('call' in is) || is.call !== SMS_SEND || is.sms === undefined) return []
    const all = typeof is.sms === 'string' ? [['', is.sms] as const] : Object.entries(is.sms)
    return all.map(([language, text]) => ({ screen, language, text }))
  })
  return regulated.flatMap(({ name, list }) =>
    texts
      .filter(
        ({ text }) => !text.startsWith('=') && !list.some((template) => fitsTemplate(filled(text), template.text)),
      )
      .map(({ screen, language }): FlowProblem => ({
        severity: 'warning',
        rule: 'template',
        where: read.at(['screens', screen]),
        what: `on line '${name}' no registered template fits the SMS of '${screen}'${language && ` in ${language}`}: it would not be sent`,
        remedy: 'register the text, and add it to lines[].sms.templates; or write it as it is registered',
      })),
  )
}

/** The text with something in the place of each value. */
function filled(text: string): string {
  let [out, depth] = ['', 0]
  for (const sign of text) {
    if (sign === '{' && depth++ === 0) out += 'x'
    else if (sign === '}' && depth > 0) depth--
    else if (depth === 0) out += sign
  }
  return out
}
