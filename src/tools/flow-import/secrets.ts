/** Marks inputs for PINs or passwords as `secret`, wherever a flow allows it. */
import { stringify } from 'yaml'
import { checkSource } from '../../flow/check/index.ts'
import { listOf, remark, type Carrying } from './carrying.ts'
import type { JourneyScreen, JourneyNode } from './journey.ts'

const SECRET = /(^|[^a-z])(pin|mpin|password|passcode|passwd|secret|otp)([^a-z]|$)/i
/** Separates words: `userPin`, `user_pin`, `new-pin2`. */
const words = (name: string) => name.replace(/([a-z])([A-Z])/g, '$1 $2').replace(/[_\d-]+/g, ' ')

/** Decides by its name, its prompt, or its error texts. */
function looksSecret({ name, written }: JourneyScreen): boolean {
  const texts = [written.text, ...listOf(written.validators).flatMap(({ text, error_message: error }) => [text, error])]
  const said = texts
    .flatMap((text) => (text !== null && typeof text === 'object' ? Object.values(text) : [text]))
    .map(String)
  return [words(String(written.input_identifier ?? name)), ...said.filter((text) => !text.includes('{{'))].some(
    (text) => SECRET.test(text),
  )
}

/** Marks each such input, unless the check then finds a read where no secret is allowed. */
export function asSecrets(carrying: Carrying, definition: JourneyNode): void {
  const screens = definition.screens as Record<string, JourneyNode>
  for (const screen of carrying.journey.screens.values()) {
    if (screen.type !== 'input_screen' || !looksSecret(screen)) continue
    const name = carrying.nameOf(screen.name)
    const input = [screens[`${name}-shown`], screens[name]].find((one) => one?.input !== undefined)
    if (!input) continue
    input.secret = true
    const wrong = secretProblem(definition)
    const identifier = String(screen.written.input_identifier ?? screen.name)
    if (wrong === undefined) {
      const remedy = 'only the next call may read it; it is never stored, shown or logged'
      remark(carrying, screen, 'input_identifier', { what: `'${identifier}' is secret`, remedy, lost: false })
      continue
    }
    delete input.secret
    const remedy = `set secret: true and fix what check then reports: ${wrong}`
    const what = `'${identifier}' looks like a secret, but is stored in clear text`
    remark(carrying, screen, 'input_identifier', { what, remedy, lost: true })
  }
}

function secretProblem(definition: JourneyNode): string | undefined {
  const found = checkSource({ file: 'imported.yaml', text: stringify(definition), catalogues: [] })
  return found.find(({ severity, what, remedy }) => severity === 'error' && /secret/.test(`${what} ${remedy ?? ''}`))
    ?.what
}
