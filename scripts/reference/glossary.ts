/** docs/GLOSSARY.md: the table at the top of src/ussd/vocabulary.ts, as a page. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/base/package-root.ts'
import { generated, table } from './page.ts'

const HEAD = `# Glossary

These are the words of the field, as this code uses them. One word means one thing. Names of files, functions, settings,
metrics and log lines use the words on the left. Settings and metrics that have their names since 0.1.0 keep them, also
where the code has a better word: \`late\` (deferred answers), \`door\` (the HTTP ingress), \`reminders\` (the SMS outbox).

USSD operations have the names of the standard: PSSR indication, USSR request, USSN request, PSSR response, USSR confirm,
USSN confirm (SMPP v3.4 §5.3.2.44).
`

/** The rows of the table: the word, its meaning, and the words not to use. */
export function glossaryRows(source: string): string[][] {
  return source
    .split('\n')
    .filter((line) => line.startsWith(' * | '))
    .slice(2)
    .map((line) =>
      line
        .slice(5, -2)
        .split(' | ')
        .map((cell) => cell.trim()),
    )
}

export function glossaryPage(): string {
  const rows = glossaryRows(readFileSync(join(packageRoot, 'src/ussd/vocabulary.ts'), 'utf8'))
  return generated(HEAD, table(['word', 'means', 'not, or before'], rows))
}
