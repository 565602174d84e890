/** Answers that an input takes, made up from its rules and from what is compared with them. */
import type { Json } from '../ussd/types.ts'
import { examplesOf } from './answer-checks.ts'
import type { InputScreen } from './definition.ts'
import { exampleOf } from './pattern-example.ts'
import { acceptsAlone } from './screens/input.ts'

/** `tested`: what conditions compare the answer with. None if no example could be made. */
export function answersOf(screen: InputScreen, tested: readonly Json[], zone: string): string[] {
  const checked = (screen.checks ?? []).flatMap((check) => [
    ...examplesOf(check, zone),
    ...(check.pattern === undefined ? [] : [exampleOf(check.pattern, screen.length)]),
  ])
  const typed = [...checked.filter((word) => word !== undefined), ...plainAnswersOf(screen, tested)]
  const taken = [...new Set(typed)].filter((word) => acceptsAlone(screen, word))
  return taken.length > 0 ? taken : typed.flatMap((word) => mended(word, screen) ?? []).slice(0, 1)
}

/** With other digits at its end, that a check of its digits may want; undefined: none will do. */
function mended(word: string, screen: InputScreen): string | undefined {
  if (!(screen.checks ?? []).some(({ checksum }) => checksum)) return undefined
  return Array.from({ length: 100 }, (_, i) => `${word.slice(0, -2)}${String(i).padStart(2, '0')}`).find((one) => acceptsAlone(screen, one))
}

function plainAnswersOf(screen: InputScreen, tested: readonly Json[]): string[] {
  const { number, length, pattern } = screen
  if (screen.name) return ['Mary Kila']
  if (number) {
    const { min = Math.min(1, number.max ?? 1), max = min + 1 } = number
    const within = tested.filter((value) => typeof value === 'number' && value >= min && value <= max)
    return [...new Set([min, max, ...within].map(String))]
  }
  const words = tested.filter((value) => typeof value === 'string')
  if (pattern !== undefined) return [exampleOf(pattern, length), ...words].filter((word) => word !== undefined)
  return [...words, 'abcdefghij'.repeat(16).slice(0, Math.max(length?.min ?? 1, Math.min(length?.max ?? 10, 10)))]
}

