/** Checks that an input that asks for a PIN or a password is marked as a secret, or says that it is not. */
import { folded } from '../expression/index.ts'
import { inputOf } from '../language/index.ts'
import type { ReadFlow } from '../read/index.ts'
import { acceptsAlone } from '../screens/index.ts'
import { wordsIn } from '../text/index.ts'
import type { Complain } from './check.ts'

/** What a PIN or a password is called, by language. Whole words, without accents. */
const PIN_WORDS: Readonly<Record<string, readonly string[]>> = {
  en: ['pin', 'pincode', 'password', 'passcode', 'passphrase', 'secret code', 'secret number'],
  tpi: ['pin', 'paswot', 'paswod', 'namba hait', 'hait namba', 'sikret namba'],
  fr: ['pin', 'nip', 'code secret', 'mot de passe', 'code confidentiel', 'code personnel'],
  pt: ['pin', 'senha', 'palavra passe', 'codigo secreto', 'codigo pessoal'],
  es: ['pin', 'clave', 'contrasena', 'codigo secreto'],
  sw: ['pin', 'nenosiri', 'neno la siri', 'nywila', 'namba ya siri', 'nambari ya siri'],
  id: ['pin', 'kata sandi', 'sandi'],
  ar: ['رمز pin', 'الرقم السري', 'الرمز السري', 'رقم سري', 'كلمة السر', 'كلمة المرور'],
}
const ALL = new Set(Object.values(PIN_WORDS).flat())
/** What cards and accounts have: 4 to 6 digits. A voucher or a meter has more. */
const PINS = ['1234', '12345', '123456', '2580', '258013']

export function checkPins({ definition, at }: ReadFlow, complain: Complain): void {
  for (const [name, screen] of Object.entries(definition.screens)) {
    const input = inputOf(screen)
    if (!input || input.secret !== undefined) continue
    const prompts = definition.languages.map((language) => wordsIn(definition, input.input, language) ?? '')
    const isNamed = [name, input.as ?? ''].some((word) => ALL.has(word.replaceAll('-', ' ')))
    if (!isNamed && !prompts.some(saysPin)) continue
    if (!PINS.some((pin) => acceptsAlone(input, pin))) continue
    complain('error', {
      where: at(['screens', name]),
      what: `screen '${name}' asks for a PIN, but does not say secret: what is typed is stored, and shown in traces`,
      remedy: 'write secret: true; or secret: false, if it is something else',
    })
  }
}

/** Whether one of the words stands in the prompt as a whole word. */
function saysPin(prompt: string): boolean {
  const words = ` ${folded(prompt)
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()} `
  return [...ALL].some((word) => words.includes(` ${word} `))
}
