/** The texts that every flow has without writing them. A flow may replace them with its own. */

export const BUILT_IN = {
  en: {
    busy: 'Service busy. Please try again later.',
    expired: 'Time is up. Please dial again.',
    overload: 'Too many people are dialling now. Please try again in a few minutes.',
    goodbye: 'Thank you. Goodbye.',
    holding: 'This takes a little longer. You will be told the answer.',
    invalid: 'Invalid choice. Please try again:',
    'invalid-short': 'Invalid choice.',
    wrong: 'Invalid answer. Please try again.',
    'no-match': 'Nothing found. Number or letters:',
    'no-number': 'No such number.',
    'show-all': 'Show all',
    more: 'More',
    back: 'Back',
    home: 'Home',
    resume: 'Welcome back.',
    continue: 'Continue where you stopped',
    'main-menu': 'Main menu',
  },
  // A native speaker must review these before they serve.
  tpi: {
    busy: 'Sevis i bisi. Plis traim gen bihain.',
    expired: 'Taim i pinis. Plis dailim gen.',
    overload: 'Planti manmeri i dailim nau. Plis traim gen bihain liklik.',
    goodbye: 'Tenkyu. Gutbai.',
    holding: 'Dispela i kisim taim liklik. Bai mipela tokim yu long bekim.',
    invalid: 'Namba i no stret. Plis traim gen:',
    'invalid-short': 'Namba i no stret.',
    wrong: 'Bekim i no stret. Plis traim gen.',
    'no-match': 'I no gat. Namba o leta:',
    'no-number': 'Namba i no stap.',
    'show-all': 'Soim olgeta',
    more: 'Moa',
    back: 'Go bek',
    home: 'Go long stat',
    resume: 'Welkam bek.',
    continue: 'Go het long hap yu stop long en',
    'main-menu': 'Nambawan menu',
  },
} as const satisfies Record<string, Record<string, string>>

export type TextKey = keyof (typeof BUILT_IN)['en']

export const TEXT_KEYS = Object.keys(BUILT_IN.en) as TextKey[]

/** The built-in text in this language, or in English if it has none. */
export function builtIn(key: TextKey, language: string): string {
  const texts: Record<string, Record<TextKey, string>> = BUILT_IN
  return (Object.hasOwn(texts, language) ? texts[language] : undefined)?.[key] ?? BUILT_IN.en[key]
}
